//! Package managers that install from a registry through the gateway. The registry is local; nothing else is allowed.

mod cargo;
mod npm;
mod pip;
