//! A secret in the caller's environment must be nowhere inside: not in the environment, not in `/proc`, not in a file.

use ringfence_e2e::Host;

#[test]
fn a_secret_of_the_callers_environment_is_nowhere() {
    for host in [Host::new(), Host::as_caller()] {
        let run = host
            .run()
            .outer_env("AWS_SECRET_ACCESS_KEY", SECRET)
            .outer_env("RINGFENCE_SECRET", SECRET);
        let script = SEARCH
            .replace("FIRST", &SECRET[..8])
            .replace("SECOND", &SECRET[8..]);
        let ended = run.env("GIVEN=given-value-1234").sh(&script);
        assert_eq!(ended.code, 0, "{ended}");
        // The search finds what is there.
        assert!(ended.stdout.contains("found given in"), "{ended}");
        assert!(!ended.stdout.contains("found secret"), "{ended}");
    }
}

const SECRET: &str = "wJalrXUtnFEMI7MDENGbPxRfiCYEXAMPLEKEY";

/// The text is put together inside, so that the script itself is not found.
const SEARCH: &str = r#"
secret=FIRST; secret+=SECOND; given=given-value; given+=-1234
look() { grep -qa "$2" "$3" 2>/dev/null && echo "found $1 in $3"; }
for file in /proc/[0-9]*/{environ,cmdline,comm,maps,mountinfo,status} /proc/[0-9]*/task/*/environ /proc/cmdline /proc/mounts; do
  look secret "$secret" "$file"; look given "$given" "$file"
done
grep -raq "$secret" /tmp /run /dev/shm /etc "$HOME" 2>/dev/null && echo "found secret in a file"
true
"#;
