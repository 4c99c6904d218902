//! The methods of the protocol, of both eras. A method that is not here is not understood, and not
//! passed on.

use ringfence_model::mcp::McpVerb;

use crate::version::Era;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub verb: McpVerb,
    /// Whether it has an answer.
    pub is_request: bool,
    /// The member of its parameters that says what it is about.
    pub about: Option<&'static str>,
    /// The list of its result.
    pub list: Option<ListOf>,
    /// The only era that has it; none for both.
    pub era: Option<Era>,
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListOf {
    /// Tools.
    Tools,
    /// Resources.
    Resources,
    /// Templates of resources.
    Templates,
    /// Prompts.
    Prompts,
}

impl ListOf {
    /// The member of the result that holds the entries.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }

    /// The member of an entry that it is known by.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// The method that asks for it.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Prompts => "prompts/list",
        }
    }
}

const fn request(name: &'static str, verb: McpVerb) -> Known {
    Known {
        name,
        verb,
        is_request: true,
        about: None,
        list: None,
        era: None,
    }
}

const fn about(name: &'static str, verb: McpVerb, member: &'static str) -> Known {
    Known {
        about: Some(member),
        ..request(name, verb)
    }
}

const fn list(of: ListOf, verb: McpVerb) -> Known {
    Known {
        list: Some(of),
        ..request(of.method(), verb)
    }
}

const fn notification(name: &'static str) -> Known {
    Known {
        is_request: false,
        ..request(name, McpVerb::Talk)
    }
}

/// Of sessions alone.
const fn of_sessions(known: Known) -> Known {
    Known {
        era: Some(Era::Sessions),
        ..known
    }
}

/// Of stateless requests alone.
const fn stateless(known: Known) -> Known {
    Known {
        era: Some(Era::Stateless),
        ..known
    }
}

/// What a client may send.
const OF_CLIENT: [Known; 28] = [
    of_sessions(request("initialize", McpVerb::Greet)),
    stateless(request("server/discover", McpVerb::Greet)),
    of_sessions(request("ping", McpVerb::Talk)),
    list(ListOf::Tools, McpVerb::ListTools),
    about("tools/call", McpVerb::CallTool, "name"),
    list(ListOf::Resources, McpVerb::ListResources),
    list(ListOf::Templates, McpVerb::ListTemplates),
    about("resources/read", McpVerb::ReadResource, "uri"),
    of_sessions(about("resources/subscribe", McpVerb::Subscribe, "uri")),
    of_sessions(about("resources/unsubscribe", McpVerb::Subscribe, "uri")),
    list(ListOf::Prompts, McpVerb::ListPrompts),
    about("prompts/get", McpVerb::GetPrompt, "name"),
    request("completion/complete", McpVerb::Complete),
    of_sessions(request("logging/setLevel", McpVerb::SetLogLevel)),
    stateless(request("subscriptions/listen", McpVerb::Listen)),
    about("tasks/get", McpVerb::Task, "taskId"),
    of_sessions(about("tasks/result", McpVerb::Task, "taskId")),
    stateless(about("tasks/update", McpVerb::Task, "taskId")),
    about("tasks/cancel", McpVerb::Task, "taskId"),
    of_sessions(request("tasks/list", McpVerb::Task)),
    of_sessions(notification("notifications/initialized")),
    notification("notifications/cancelled"),
    notification("notifications/progress"),
    of_sessions(notification("notifications/roots/list_changed")),
    notification("notifications/tasks/status"),
    notification("notifications/message"),
    notification("notifications/elicitation/complete"),
    notification("notifications/tasks/cancelled"),
];

/// What a server may send.
const OF_SERVER: [Known; 16] = [
    request("ping", McpVerb::Talk),
    request("sampling/createMessage", McpVerb::Sample),
    request("elicitation/create", McpVerb::Elicit),
    request("roots/list", McpVerb::ListRoots),
    notification("notifications/progress"),
    notification("notifications/message"),
    notification("notifications/cancelled"),
    notification("notifications/tools/list_changed"),
    notification("notifications/prompts/list_changed"),
    notification("notifications/resources/list_changed"),
    Known {
        about: Some("uri"),
        ..notification("notifications/resources/updated")
    },
    notification("notifications/elicitation/complete"),
    notification("notifications/tasks/status"),
    notification("notifications/tasks"),
    notification("notifications/subscriptions/acknowledged"),
    notification("notifications/subscriptions/ended"),
];

/// The method of this name, where a client may send it.
#[must_use]
pub fn of_client(name: &str) -> Option<&'static Known> {
    OF_CLIENT.iter().find(|it| it.name == name)
}

/// The method of this name, where a server may send it.
#[must_use]
pub fn of_server(name: &str) -> Option<&'static Known> {
    OF_SERVER.iter().find(|it| it.name == name)
}
