//! Every bound that this adapter puts on what a request holds.

/// Most octets of a body that is read for a decision, where the rule says nothing else.
pub(super) const BODY_OCTETS: u64 = 1024 * 1024;

/// Most root fields of one GraphQL operation.
pub(super) const GRAPHQL_ROOTS: usize = 64;

/// Most different steps from a field to one below it in one GraphQL operation.
pub(super) const GRAPHQL_STEPS: usize = 1024;

/// Most fields that are looked at to expand one GraphQL operation.
pub(super) const GRAPHQL_FIELDS: usize = 65_536;

/// Most octets that the values of variables take in the arguments of one GraphQL operation: a large
/// one may be used in many places, and counts in each.
pub(super) const GRAPHQL_REPEATED_OCTETS: u64 = 2 * 1024 * 1024;

/// Deepest nesting of selections and values of a GraphQL operation.
pub(super) const GRAPHQL_NESTING: usize = 128;
