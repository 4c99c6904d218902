//! A web site that sandboxes reach as `web.test` (HTTPS) and `plain.test` (HTTP), and the ways in which clients reach it.

use ringfence_e2e::{Ended, Host, Run};
use ringfence_testkit::Ca;
use ringfence_testkit::nginx::Nginx;

/// A person's machine and the site.
pub(super) struct Site {
    pub(super) host: Host,
    pub(super) nginx: Nginx,
}

impl Site {
    /// Starts the site; sandboxes trust its authority.
    pub(super) fn start() -> Self {
        Self::start_for(Host::new())
    }

    /// As [`Site::start`], for another kind of person.
    pub(super) fn start_for(mut host: Host) -> Self {
        let ca = Ca::new(host.workdir()).unwrap();
        let nginx = Nginx::start(host.workdir(), &ca, &["web.test", "plain.test"]).unwrap();
        host.trust(&ca).name("web.test", nginx.https());
        host.name("plain.test", nginx.http());
        Self { host, nginx }
    }

    /// A run in which both names of the site are allowed, and nothing else.
    pub(super) fn run(&self) -> Run<'_> {
        self.host.run().allow("web.test:443").allow("plain.test:80")
    }
}

/// How a client's connections come to the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// The client knows of no proxy: its connections are captured.
    Transparent,
    /// The variables that every sandbox has name an HTTP proxy.
    Proxy,
    /// The variables name a SOCKS5 proxy that resolves names.
    Socks,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Transparent, Self::Proxy, Self::Socks];

    /// The script, with the variables set for this way.
    pub(super) fn script(self, script: &str) -> String {
        let prelude = match self {
            Self::Transparent => UNSET.to_owned(),
            Self::Proxy => "test -n \"$https_proxy\" || exit 99".to_owned(),
            Self::Socks => format!("{UNSET}; export ALL_PROXY=socks5h://198.18.0.1:3128"),
        };
        format!("set -e; {prelude}\n{script}")
    }
}

/// Fails the test unless the run ended well, with this output.
pub(super) fn assert_prints(ended: &Ended, expected: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, expected),
        "{ended}"
    );
}

const UNSET: &str =
    "unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy";
