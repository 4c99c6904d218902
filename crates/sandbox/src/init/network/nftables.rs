//! The ruleset of a sandbox, sent over netlink in one atomic batch. In nft's own language:
//!
//! ```text
//! table inet ringfence {
//!   chain capture {
//!     type nat hook output priority -100; policy accept;
//!     ip daddr 127.0.0.0/8 return
//!     ip6 daddr ::1 return
//!     meta nfproto ipv4 meta l4proto tcp redirect to :TCP4
//!     meta nfproto ipv6 meta l4proto tcp redirect to :TCP6
//!     meta nfproto ipv4 udp dport 53 redirect to :DNS4
//!     meta nfproto ipv6 udp dport 53 redirect to :DNS6
//!   }
//!   chain filter {
//!     type filter hook output priority 0; policy drop;
//!     ct state established accept
//!     ip daddr 127.0.0.0/8 accept
//!     ip6 daddr ::1 accept
//!     ct status dnat accept
//!   }
//! }
//! ```

use std::io;

use rustix::net::netlink::NETFILTER;

use super::netlink::{APPEND, CREATE, Message, REQUEST_ACK, Socket};
use crate::weaken::Weakening;

/// The ports of the gateway's listeners; 0 where there is none.
pub(super) struct Ports {
    pub(super) tcp_v4: u16,
    pub(super) tcp_v6: u16,
    pub(super) dns_v4: u16,
    pub(super) dns_v6: u16,
}

/// Installs the ruleset in the namespace that the caller is in.
pub(super) fn install(ports: &Ports, weakening: &Weakening) -> io::Result<()> {
    let mut batch = Batch::begin();
    batch.table();
    if !weakening.is_off("capture") {
        batch.chain("capture", "nat", PRIORITY_DNAT, VERDICT_ACCEPT);
        batch.rule("capture", |rule| rule.v4_loopback().verdict(VERDICT_RETURN));
        batch.rule("capture", |rule| rule.v6_loopback().verdict(VERDICT_RETURN));
        for (family, tcp, dns) in [
            (FAMILY_IPV4, ports.tcp_v4, ports.dns_v4),
            (FAMILY_IPV6, ports.tcp_v6, ports.dns_v6),
        ] {
            if tcp != 0 {
                batch.rule("capture", |rule| rule.family(family).tcp().redirect(tcp));
            }
            if dns != 0 {
                batch.rule("capture", |rule| rule.family(family).dns().redirect(dns));
            }
        }
    }
    if !weakening.is_off("filter") {
        batch.chain("filter", "filter", PRIORITY_FILTER, VERDICT_DROP);
        batch.rule("filter", |rule| rule.established().verdict(VERDICT_ACCEPT));
        batch.rule("filter", |rule| rule.v4_loopback().verdict(VERDICT_ACCEPT));
        batch.rule("filter", |rule| rule.v6_loopback().verdict(VERDICT_ACCEPT));
        batch.rule("filter", |rule| rule.redirected().verdict(VERDICT_ACCEPT));
    }
    batch.commit()
}

/// A transaction: everything in it comes into force, or nothing.
struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Batch {
    fn begin() -> Self {
        let mut batch = Self {
            bytes: Vec::with_capacity(4096),
            sequence: 0,
        };
        batch.push(Message::new(BATCH_BEGIN, REQUEST, 0, &BATCH_HEADER));
        batch
    }

    fn table(&mut self) {
        let mut message = self.message(NEW_TABLE, CREATE);
        message.text(TABLE_NAME, TABLE);
        self.push(message);
    }

    fn chain(&mut self, name: &str, kind: &str, priority: i32, policy: i32) {
        let mut message = self.message(NEW_CHAIN, CREATE);
        message.text(CHAIN_TABLE, TABLE).text(CHAIN_NAME, name);
        let hook = message.open_nested(CHAIN_HOOK);
        message
            .be32(HOOK_NUMBER, HOOK_OUTPUT)
            .attribute(HOOK_PRIORITY, &priority.to_be_bytes());
        message.close(hook);
        message.attribute(CHAIN_POLICY, &policy.to_be_bytes());
        message.text(CHAIN_TYPE, kind);
        self.push(message);
    }

    fn rule(&mut self, chain: &str, build: impl FnOnce(Rule) -> Rule) {
        let mut message = self.message(NEW_RULE, CREATE | APPEND);
        message.text(RULE_TABLE, TABLE).text(RULE_CHAIN, chain);
        let expressions = message.open_nested(RULE_EXPRESSIONS);
        let Rule(mut message) = build(Rule(message));
        message.close(expressions);
        self.push(message);
    }

    fn message(&mut self, kind: u16, flags: u16) -> Message {
        self.sequence += 1;
        Message::new(
            NFTABLES | kind,
            REQUEST_ACK | flags,
            self.sequence,
            &[FAMILY_INET, 0, 0, 0],
        )
    }

    fn push(&mut self, message: Message) {
        self.bytes.extend_from_slice(&message.finish());
    }

    fn commit(mut self) -> io::Result<()> {
        let expected = usize::try_from(self.sequence).unwrap_or_default();
        self.push(Message::new(BATCH_END, REQUEST, 0, &BATCH_HEADER));
        Socket::open(Some(NETFILTER))?.request(&self.bytes, expected)
    }
}

/// The expressions of one rule, appended in the order of evaluation.
struct Rule(Message);

impl Rule {
    fn v4_loopback(self) -> Self {
        // The first octet of the destination address decides about 127.0.0.0/8.
        self.family(FAMILY_IPV4)
            .payload(PAYLOAD_NETWORK, 16, 1)
            .equals(&[127])
    }

    fn v6_loopback(self) -> Self {
        let mut one = [0u8; 16];
        one[15] = 1;
        self.family(FAMILY_IPV6)
            .payload(PAYLOAD_NETWORK, 24, 16)
            .equals(&one)
    }

    fn family(self, family: u8) -> Self {
        self.meta(META_FAMILY).equals(&[family])
    }

    fn tcp(self) -> Self {
        self.meta(META_TRANSPORT).equals(&[PROTOCOL_TCP])
    }

    fn dns(self) -> Self {
        self.meta(META_TRANSPORT)
            .equals(&[PROTOCOL_UDP])
            .payload(PAYLOAD_TRANSPORT, 2, 2)
            .equals(&53u16.to_be_bytes())
    }

    fn established(self) -> Self {
        self.conntrack(CT_STATE, CT_STATE_ESTABLISHED)
    }

    fn redirected(self) -> Self {
        self.conntrack(CT_STATUS, CT_STATUS_DNAT)
    }

    /// True if any bit of `bits` is set in the value behind `key`.
    fn conntrack(self, key: u32, bits: u32) -> Self {
        let zero = [0u8; 4];
        self.expression("ct", |message| {
            message.be32(CT_REGISTER, REGISTER).be32(CT_KEY, key);
        })
        .expression("bitwise", |message| {
            message
                .be32(BITWISE_SOURCE, REGISTER)
                .be32(BITWISE_TARGET, REGISTER)
                .be32(BITWISE_LENGTH, 4);
            data(message, BITWISE_MASK, &bits.to_ne_bytes());
            data(message, BITWISE_XOR, &zero);
        })
        .compare(COMPARE_UNEQUAL, &zero)
    }

    fn meta(self, key: u32) -> Self {
        self.expression("meta", |message| {
            message.be32(META_REGISTER, REGISTER).be32(META_KEY, key);
        })
    }

    fn payload(self, base: u32, offset: u32, length: u32) -> Self {
        self.expression("payload", |message| {
            message
                .be32(PAYLOAD_REGISTER, REGISTER)
                .be32(PAYLOAD_BASE, base)
                .be32(PAYLOAD_OFFSET, offset)
                .be32(PAYLOAD_LENGTH, length);
        })
    }

    fn equals(self, value: &[u8]) -> Self {
        self.compare(COMPARE_EQUAL, value)
    }

    fn compare(self, operator: u32, value: &[u8]) -> Self {
        self.expression("cmp", |message| {
            message
                .be32(COMPARE_REGISTER, REGISTER)
                .be32(COMPARE_OPERATOR, operator);
            data(message, COMPARE_DATA, value);
        })
    }

    fn redirect(self, port: u16) -> Self {
        self.expression("immediate", |message| {
            message.be32(IMMEDIATE_REGISTER, REGISTER);
            data(message, IMMEDIATE_DATA, &port.to_be_bytes());
        })
        .expression("redir", |message| {
            message.be32(REDIRECT_PORT, REGISTER);
        })
    }

    fn verdict(self, verdict: i32) -> Self {
        self.expression("immediate", |message| {
            message.be32(IMMEDIATE_REGISTER, REGISTER_VERDICT);
            let value = message.open_nested(IMMEDIATE_DATA);
            let nested = message.open_nested(DATA_VERDICT);
            message.attribute(VERDICT_CODE, &verdict.to_be_bytes());
            message.close(nested);
            message.close(value);
        })
    }

    fn expression(mut self, name: &str, fill: impl FnOnce(&mut Message)) -> Self {
        let element = self.0.open_nested(LIST_ELEMENT);
        self.0.text(EXPRESSION_NAME, name);
        let body = self.0.open_nested(EXPRESSION_DATA);
        fill(&mut self.0);
        self.0.close(body);
        self.0.close(element);
        self
    }
}

fn data(message: &mut Message, kind: u16, value: &[u8]) {
    let nest = message.open_nested(kind);
    message.attribute(DATA_VALUE, value);
    message.close(nest);
}

// The numbers of linux/netfilter/nf_tables.h, nfnetlink.h and netfilter.h.
const TABLE: &str = "ringfence";
const REQUEST: u16 = 1;
const NFTABLES: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
/// struct nfgenmsg with the nf_tables subsystem as its resource id.
const BATCH_HEADER: [u8; 4] = [0, 0, 0, 10];
const FAMILY_INET: u8 = 1;
const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;
const NEW_TABLE: u16 = 0;
const TABLE_NAME: u16 = 1;
const NEW_CHAIN: u16 = 3;
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const HOOK_OUTPUT: u32 = 3;
const PRIORITY_DNAT: i32 = -100;
const PRIORITY_FILTER: i32 = 0;
const NEW_RULE: u16 = 6;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;
const RULE_EXPRESSIONS: u16 = 4;
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const VERDICT_DROP: i32 = 0;
const VERDICT_ACCEPT: i32 = 1;
const VERDICT_RETURN: i32 = -5;
const REGISTER_VERDICT: u32 = 0;
const REGISTER: u32 = 1;
const IMMEDIATE_REGISTER: u16 = 1;
const IMMEDIATE_DATA: u16 = 2;
const META_REGISTER: u16 = 1;
const META_KEY: u16 = 2;
const META_FAMILY: u32 = 15;
const META_TRANSPORT: u32 = 16;
const PAYLOAD_REGISTER: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LENGTH: u16 = 4;
const PAYLOAD_NETWORK: u32 = 1;
const PAYLOAD_TRANSPORT: u32 = 2;
const COMPARE_REGISTER: u16 = 1;
const COMPARE_OPERATOR: u16 = 2;
const COMPARE_DATA: u16 = 3;
const COMPARE_EQUAL: u32 = 0;
const COMPARE_UNEQUAL: u32 = 1;
const BITWISE_SOURCE: u16 = 1;
const BITWISE_TARGET: u16 = 2;
const BITWISE_LENGTH: u16 = 3;
const BITWISE_MASK: u16 = 4;
const BITWISE_XOR: u16 = 5;
const CT_REGISTER: u16 = 1;
const CT_KEY: u16 = 2;
const CT_STATE: u32 = 0;
const CT_STATUS: u32 = 2;
const CT_STATE_ESTABLISHED: u32 = 2;
const CT_STATUS_DNAT: u32 = 1 << 5;
const REDIRECT_PORT: u16 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
