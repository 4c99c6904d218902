use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn ended(code: i32, output: &str, fault: &str) -> Ended {
    Ended {
        status: ExitStatus::from_raw(code << 8),
        output: output.as_bytes().to_vec(),
        is_cut: false,
        fault: fault.as_bytes().to_vec(),
    }
}

#[test]
fn output_is_understood_as_the_file_says() {
    let of = |text, output| of_command(&ended(0, text, ""), output);
    assert_eq!(of("a\nb\n", Output::Text).unwrap().value, None);
    assert_eq!(
        of("a\nb\n", Output::Lines).unwrap().value,
        Some(json!({"lines": ["a", "b"]}))
    );
    assert_eq!(
        of("{\"a\":1}", Output::Json).unwrap().value,
        Some(json!({"a": 1}))
    );
    assert_eq!(
        of("[1]", Output::Json).unwrap().value,
        Some(json!({"result": [1]}))
    );
    assert!(of("no", Output::Json).is_err());
}

#[test]
fn a_failure_says_how_it_ended_and_the_end_of_what_was_said() {
    let fault = of_command(&ended(3, "out", &"é".repeat(5000)), Output::Text).unwrap_err();
    assert!(fault.to_string().contains('3') && fault.to_string().len() < FAULT_OCTETS + 100);
    let fault = of_command(&ended(1, "only out", ""), Output::Text).unwrap_err();
    assert!(fault.to_string().ends_with("only out"));
}

#[test]
fn what_was_cut_says_so_and_is_no_value() {
    let mut cut = ended(0, "{\"a\":1", "");
    cut.is_cut = true;
    let found = of_command(&cut, Output::Json).unwrap();
    assert!(found.text.contains("[cut here") && found.value.is_none());
}
