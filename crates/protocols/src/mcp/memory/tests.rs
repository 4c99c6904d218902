use ringfence_mcp::method;

use super::*;

fn session(upstream: &str) -> Session {
    Session::new(upstream.to_owned(), Version::LATEST)
}

fn id(number: i64) -> Id {
    Id::Number(number)
}

#[test]
fn a_sandbox_and_a_server_have_one_memory_and_no_other_has_it() {
    let (one, other) = (SandboxId::new(), SandboxId::new());
    let [a, b] = ["a", "b"].map(|name| ServerName::new(name).unwrap());
    let memory = Memory::of(one, &a);
    memory.lock().begin("s".to_owned(), session("up"));
    assert!(Memory::of(one, &a).lock().session("s").is_some());
    assert!(Memory::of(one, &b).lock().session("s").is_none());
    assert!(Memory::of(other, &a).lock().session("s").is_none());
}

#[test]
fn the_session_that_was_used_longest_ago_makes_room() {
    let mut state = State::default();
    for count in 0..SESSIONS {
        state.begin(format!("s{count}"), session("up"));
    }
    assert!(state.session("s0").is_some());
    state.begin("new".to_owned(), session("up"));
    assert!(state.session("s1").is_none());
    for known in ["s0", "s2", "new"] {
        assert!(state.session(known).is_some(), "{known}");
    }
    assert_eq!(state.sessions.len(), SESSIONS);
}

#[test]
fn a_question_is_answered_once_and_in_its_own_session() {
    let mut state = State::default();
    let (a, b) = (Some("a"), Some("b"));
    assert!(state.ask(a, &id(0)) && state.ask(b, &id(0)) && state.ask(None, &id(0)));
    assert!(!state.ask(a, &id(0)), "asked twice");
    assert!(!state.answer(a, &Id::Text("0".to_owned())));
    assert!(!state.answer(a, &id(1)));
    assert!(state.answer(a, &id(0)) && !state.answer(a, &id(0)));
    assert!(state.answer(b, &id(0)) && state.answer(None, &id(0)));
    for count in 0..=i64::try_from(QUESTIONS).unwrap() {
        assert!(state.ask(a, &id(count)));
    }
    assert!(!state.answer(a, &id(0)), "the oldest made room");
    assert!(state.answer(a, &id(1)));
}

#[test]
fn what_ends_with_a_session_is_gone() {
    let mut state = State::default();
    state.begin("a".to_owned(), session("up"));
    state.ask(Some("a"), &id(1));
    state.leave_unanswered(Some("a"), id(2), None);
    state.ask(Some("b"), &id(1));
    state.end("a");
    assert!(!state.answer(Some("a"), &id(1)));
    assert_eq!(state.take_unanswered(Some("a"), &id(2)), None);
    assert!(state.answer(Some("b"), &id(1)));
}

/// An agent that asks two things by one id would get the list of one as the answer to the other,
/// which nobody takes anything out of.
#[test]
fn an_answer_that_may_be_to_either_of_two_is_to_neither() {
    let (list, call) = (
        method::of_client("tools/list"),
        method::of_client("tools/call"),
    );
    let mut state = State::default();
    state.leave_unanswered(Some("a"), id(3), list);
    state.leave_unanswered(Some("b"), id(3), call);
    assert_eq!(state.take_unanswered(None, &id(3)), None);
    assert_eq!(state.take_unanswered(Some("a"), &id(3)), Some(list));
    assert_eq!(state.take_unanswered(Some("a"), &id(3)), None);
    state.leave_unanswered(Some("a"), id(3), list);
    state.leave_unanswered(Some("a"), id(3), call);
    state.leave_unanswered(Some("a"), id(3), call);
    assert_eq!(state.take_unanswered(Some("a"), &id(3)), None);
}

#[test]
fn progress_and_tasks_are_remembered_and_bounded() {
    let mut state = State::default();
    for count in 0..=QUESTIONS.max(TASKS) {
        state.want_progress(count.to_string());
        state.begin_task(&count.to_string());
    }
    assert!(!state.has_progress("0") && state.has_progress("1"));
    assert!(!state.has_task("0") && state.has_task("1"));
    state.begin_task(&"x".repeat(TASK_OCTETS + 1));
    assert!(!state.has_task(&"x".repeat(TASK_OCTETS + 1)));
}
