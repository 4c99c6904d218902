use serde_json::{Value, json};

use super::*;

fn command(elements: &[&str]) -> Result<Command, String> {
    let elements: Vec<String> = elements.iter().map(|it| (*it).to_owned()).collect();
    Command::new(&elements, None, false, Vec::new())
}

fn line(elements: &[&str], arguments: Value) -> Result<Vec<String>, CallError> {
    let arguments = arguments.as_object().cloned().unwrap();
    Ok(command(elements).unwrap().line(&arguments)?.elements)
}

#[test]
fn each_value_is_one_argument_and_an_absent_one_none() {
    let elements = ["git", "log", "--author={author?}", "--", "{paths...}"];
    let of = |arguments| line(&elements, arguments).unwrap();
    assert_eq!(of(json!({})), ["git", "log", "--"]);
    assert_eq!(
        of(json!({"author": "a; rm -rf /", "paths": ["x y", "$(z)"]})),
        ["git", "log", "--author=a; rm -rf /", "--", "x y", "$(z)"]
    );
}

#[test]
fn a_value_does_not_become_an_option() {
    for (element, value) in [
        ("{a}", json!({"a": "--upload-pack=touch x"})),
        ("{a}", json!({"a": "-oProxyCommand=touch x"})),
        ("{a}", json!({"a": "-"})),
        ("{a}", json!({"a": -1})),
        ("{a}{b}", json!({"a": "-", "b": "x"})),
        ("{a}{b}", json!({"a": "", "b": "-x"})),
        ("{a}=1", json!({"a": "--x"})),
        ("{a?}", json!({"a": "-x"})),
        ("{a...}", json!({"a": ["x", "-y"]})),
    ] {
        let fault = line(&["git", element], value.clone()).unwrap_err();
        assert!(fault.to_string().contains("option"), "{element} {value}");
    }
    assert!(line(&["git", "--x={a}"], json!({"a": "--y"})).is_ok());
    let elements = ["git".to_owned(), "{a}".to_owned()];
    let allowed = Command::new(&elements, None, true, Vec::new()).unwrap();
    let arguments = json!({"a": "-x"}).as_object().cloned().unwrap();
    assert_eq!(allowed.line(&arguments).unwrap().elements, ["git", "-x"]);
}

#[test]
fn the_program_is_the_persons_choice() {
    for elements in [&["{a}"][..], &["{a}git"], &["/bin/{a}"], &[""], &[]] {
        assert!(command(elements).is_err(), "{elements:?}");
    }
}

#[test]
fn a_value_is_never_a_part_of_a_program() {
    for elements in [
        &["sh", "-c", "grep {a} list"][..],
        &["/bin/bash", "-lc", "echo {a}"],
        &["bash", "-e", "-c", "{a}"],
        &["env", "X=1", "sh", "-c", "{a}"],
        &["xargs", "sh", "-ec", "{a}"],
        &["python3.11", "-c", "print('{a}')"],
        &["perl", "-ne", "print {a}"],
        &["node", "--eval", "{a}"],
        &["ruby", "-e", "{a?}"],
        &["ssh", "-o", "{a}", "host"],
        &["ssh", "host", "ls {a}"],
        &["awk", "/{a}/"],
        &["awk", "-F", ",", "{a}", "file"],
        &["sed", "-n", "s/{a}/x/p", "file"],
        &["sed", "-e", "{a}"],
        &["watch", "ls {a}"],
        &["psql", "-c", "select '{a}'"],
    ] {
        assert!(command(elements).is_err(), "{elements:?}");
    }
    for elements in [
        &["sh", "-c", "grep -- \"$1\" list", "sh", "{a}"][..],
        &["python3", "tool.py", "{a}"],
        &["git", "-c", "color.ui=never", "log", "{a}"],
        &["awk", "-v", "x={a}", "$1 == x", "list"],
        &["awk", "NR == 1", "{a}"],
        &["sed", "-n", "1p", "{a}"],
        &["awk", "-f", "program.awk", "{a}"],
    ] {
        assert!(command(elements).is_ok(), "{elements:?}");
    }
}

#[test]
fn a_command_line_has_a_bound() {
    let fault = line(&["echo", "{a}"], json!({"a": "x".repeat(COMMAND_OCTETS)})).unwrap_err();
    assert!(fault.to_string().contains("longer"), "{fault}");
}

async fn ended(
    script: &str,
    stdin: Option<&str>,
    time: u64,
    octets: usize,
) -> Result<Ended, Stopped> {
    let line = Line {
        elements: ["sh", "-c", script].map(str::to_owned).to_vec(),
        stdin: stdin.map(str::to_owned),
    };
    let command = command(&["sh"]).unwrap();
    let environment = BTreeMap::from([
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ("SECRET".to_owned(), "x".to_owned()),
    ]);
    command
        .run(line, &environment, (Duration::from_secs(time), octets))
        .await
}

#[tokio::test]
async fn what_a_program_says_is_kept_up_to_the_bound() {
    let all = ended("cat; echo end >&2; exit 3", Some("in"), 10, 100)
        .await
        .unwrap();
    assert_eq!((all.output.as_slice(), all.is_cut), (&b"in"[..], false));
    assert_eq!(
        (all.fault.as_slice(), all.status.code()),
        (&b"end\n"[..], Some(3))
    );
    let cut = ended("head -c 5000000 /dev/zero; echo done >&2", None, 20, 100)
        .await
        .unwrap();
    assert_eq!((cut.output.len(), cut.is_cut), (100, true));
    assert_eq!(cut.fault, b"done\n", "it is read to its end all the same");
    let noisy = ended("head -c 100000 /dev/zero >&2; echo last >&2", None, 20, 100)
        .await
        .unwrap();
    assert!(noisy.fault.len() == crate::limits::FAULT_OCTETS && noisy.fault.ends_with(b"last\n"));
}

#[tokio::test]
async fn a_program_is_given_the_usual_variables_and_no_others() {
    let said = ended("echo $SECRET; echo $PATH", None, 10, 100)
        .await
        .unwrap();
    assert_eq!(said.output, b"\n/usr/bin:/bin\n");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("pid");
    let own = format!("echo $$ > {}; exec sleep 1000", mark.display());
    let script = format!("sh -c '{own}' & wait");
    let stopped = ended(&script, None, 1, 100).await.unwrap_err();
    assert!(matches!(stopped, Stopped::TimedOut(_)), "{stopped}");
    let pid = std::fs::read_to_string(&mark).unwrap();
    let state = format!("/proc/{}/stat", pid.trim());
    let is_gone = || std::fs::read_to_string(&state).map_or(true, |it| it.contains(") Z "));
    for _ in 0..500 {
        if is_gone() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is still there");
}

#[tokio::test]
async fn what_is_left_in_the_background_holds_nobody_up() {
    let begun = std::time::Instant::now();
    let said = ended("sleep 1000 & echo said", None, 30, 100)
        .await
        .unwrap();
    assert_eq!(said.output, b"said\n");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let line = Line {
        elements: vec!["/no/such".to_owned()],
        stdin: None,
    };
    let command = command(&["sh"]).unwrap();
    let limits = (Duration::from_secs(1), 1);
    let stopped = command
        .run(line, &BTreeMap::new(), limits)
        .await
        .unwrap_err();
    assert!(stopped.to_string().contains("/no/such"), "{stopped}");
}
