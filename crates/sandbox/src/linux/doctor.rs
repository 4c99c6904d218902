//! What this host supports, what a missing feature costs, and what to do about it. Features are
//! tried, not guessed from version numbers.

use std::fs;

use serde::Serialize;

use crate::init;
use crate::init::probe::Findings;
use crate::spec::Layer;

/// One feature of the host.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// Whether it works here.
    pub works: bool,
    /// Whether nothing can run without it.
    pub required: bool,
    /// The layer that is lost without it, if a run can do without.
    pub layer: Option<Layer>,
    /// What was seen.
    pub detail: String,
    /// What its absence costs.
    pub cost: &'static str,
    /// How to get it.
    pub remedy: String,
}

/// Tries everything that the driver needs. The caller must be single-threaded.
#[must_use]
pub fn examine() -> Vec<Check> {
    let inside = init::probe::run();
    vec![
        namespaces(&inside),
        new_mounts(&inside),
        private_proc(&inside),
        packet_filter(&inside),
        overlay(&inside),
        landlock(),
        seccomp(),
        cgroup(),
    ]
}

fn namespaces(inside: &Findings) -> Check {
    Check {
        name: "user and other namespaces",
        works: inside.namespaces.is_none(),
        required: true,
        layer: None,
        detail: said(
            inside.namespaces.as_ref(),
            "an ordinary process can make them",
        ),
        cost: "nothing can run: there is no wall without them",
        remedy: namespace_remedy(),
    }
}

/// The three switches by which distributions forbid user namespaces.
fn namespace_remedy() -> String {
    let setting = |path: &str| {
        fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .ok()
    };
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        return "Ubuntu's AppArmor forbids them. Install the profile that comes with Ringfence (docs/guide/install.md), \
                or run: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            .to_owned();
    }
    if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return "run: sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned();
    }
    if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        return "run: sudo sysctl -w user.max_user_namespaces=15000".to_owned();
    }
    "in a container, allow user namespaces (seccomp and AppArmor profiles of the container engine forbid them)"
        .to_owned()
}

fn new_mounts(inside: &Findings) -> Check {
    Check {
        name: "the mount API of Linux 5.12",
        works: inside.mounts.is_none(),
        required: true,
        layer: None,
        detail: said(
            inside.mounts.as_ref(),
            "file systems can be built by descriptor",
        ),
        cost: "nothing can run: the private file system cannot be built",
        remedy: "use a kernel of version 5.14 or newer".to_owned(),
    }
}

fn private_proc(inside: &Findings) -> Check {
    Check {
        name: "a /proc of its own",
        works: inside.proc.is_none(),
        required: true,
        layer: None,
        detail: said(inside.proc.as_ref(), "it can be mounted"),
        cost: "nothing can run: programs need /proc, and the host's would show its processes",
        remedy: "in a container, run it with an unmasked /proc (docker run --security-opt systempaths=unconfined)"
            .to_owned(),
    }
}

fn packet_filter(inside: &Findings) -> Check {
    Check {
        name: "nftables",
        works: inside.nftables.is_none(),
        required: true,
        layer: Some(Layer::Nftables),
        detail: said(inside.nftables.as_ref(), "the ruleset can be installed"),
        cost: "connections cannot be captured, so only clients that honour proxy variables would work",
        remedy: "load the kernel modules, which an ordinary user cannot: sudo modprobe -a nf_tables nft_redir nft_ct nft_nat; \
                 to have them at every start: echo 'nf_tables nft_redir nft_ct nft_nat' | tr ' ' '\\n' | sudo tee /etc/modules-load.d/ringfence.conf"
            .to_owned(),
    }
}

fn overlay(inside: &Findings) -> Check {
    Check {
        name: "overlayfs",
        works: inside.overlay.is_none(),
        required: true,
        layer: None,
        detail: said(inside.overlay.as_ref(), "an ordinary process can mount it"),
        cost: "protected paths and --overlay cannot be copy-on-write",
        remedy: "use a kernel of version 5.14 or newer with overlayfs: sudo modprobe overlay"
            .to_owned(),
    }
}

fn landlock() -> Check {
    let version = init::landlock::kernel_version();
    Check {
        name: "Landlock",
        works: version > 0,
        required: true,
        layer: Some(Layer::Landlock),
        detail: if version > 0 {
            format!("ABI {version}")
        } else {
            "the kernel does not offer it".to_owned()
        },
        cost: "the second wall around the file system is missing; the mounts alone remain",
        remedy: "boot with landlock in the lsm= parameter (see /sys/kernel/security/lsm)"
            .to_owned(),
    }
}

fn seccomp() -> Check {
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    let works = actions.split_whitespace().any(|action| action == "errno");
    Check {
        name: "seccomp filters",
        works,
        required: true,
        layer: None,
        detail: if works {
            "system calls can be filtered".to_owned()
        } else {
            "the kernel cannot filter system calls".to_owned()
        },
        cost: "nothing can run: the kernel would be open to every system call",
        remedy: "use a kernel with CONFIG_SECCOMP_FILTER, as every distribution's has".to_owned(),
    }
}

fn cgroup() -> Check {
    let made = init::cgroup::probe();
    Check {
        name: "control groups",
        works: made.is_ok(),
        required: false,
        layer: Some(Layer::Cgroup),
        detail: match made {
            Ok(()) => "a group with bounds can be made".to_owned(),
            Err(error) => error.to_string(),
        },
        cost: "memory cannot be bounded for the whole sandbox; processes still are, by RLIMIT_NPROC",
        remedy: "start from a delegated group: systemd-run --user --scope -p Delegate=yes ringfence run ..."
            .to_owned(),
    }
}

fn said(error: Option<&String>, otherwise: &str) -> String {
    error.cloned().unwrap_or_else(|| otherwise.to_owned())
}
