//! The end-to-end tests: the built binary as a black box, real tools in real sandboxes, and upstreams that record what arrives.

#[cfg(test)]
mod bypass;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod git;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod llm;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod prove;
