//! A name server on loopback that answers as a test says and records every question.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name, without the last dot, as it was spelled.
    pub name: String,
    /// The record type: 1 is A, 28 is AAAA.
    pub kind: u16,
    /// The whole query.
    pub octets: Vec<u8>,
}

/// The server, on a thread of its own that ends when this is dropped.
pub struct NameServer {
    address: SocketAddr,
    questions: Arc<Mutex<Vec<Question>>>,
    stopping: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Answers each question with those of the addresses that fit its type, none of them to be kept.
    pub fn start<Answering>(answer: Answering) -> io::Result<Self>
    where
        Answering: Fn(&str) -> Vec<IpAddr> + Send + 'static,
    {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let questions = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (record, stop) = (Arc::clone(&questions), Arc::clone(&stopping));
        let server = thread::spawn(move || serve(&socket, &record, &stop, &answer));
        Ok(Self {
            address,
            questions,
            stopping,
            server: Some(server),
        })
    }

    /// Where it listens, by UDP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every question so far.
    pub fn questions(&self) -> Vec<Question> {
        let questions = self.questions.lock();
        questions.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether these octets were in any query, in whichever case.
    pub fn has_seen(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.questions().iter().any(|question| {
            let octets = question.octets.to_ascii_lowercase();
            String::from_utf8_lossy(&octets).contains(&text)
        })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The server waits in recv(2); an empty datagram wakes it.
        let woken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(server)) = (woken, self.server.take()) {
            let _ = server.join();
        }
    }
}

fn serve(
    socket: &UdpSocket,
    record: &Mutex<Vec<Question>>,
    stopping: &AtomicBool,
    answer: &dyn Fn(&str) -> Vec<IpAddr>,
) {
    let mut buffer = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let octets = buffer.iter().take(length).copied().collect();
        let Some((question, end)) = read(octets) else {
            continue;
        };
        let reply = reply(&question, end, &answer(&question.name));
        let mut questions = record.lock().unwrap_or_else(PoisonError::into_inner);
        questions.push(question);
        let _ = socket.send_to(&reply, client);
    }
}

/// The question, and where it ends in the query.
fn read(octets: Vec<u8>) -> Option<(Question, usize)> {
    let mut at = HEADER_OCTETS;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*octets.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(octets.get(at..at + length)?).into_owned());
        at += length;
    }
    let kind = u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]);
    let question = Question {
        name: labels.join("."),
        kind,
        octets,
    };
    Some((question, at + 4))
}

fn reply(question: &Question, end: usize, addresses: &[IpAddr]) -> Vec<u8> {
    let fitting: Vec<Vec<u8>> = addresses
        .iter()
        .filter_map(|address| match (address, question.kind) {
            (IpAddr::V4(address), 1) => Some(address.octets().to_vec()),
            (IpAddr::V6(address), 28) => Some(address.octets().to_vec()),
            _ => None,
        })
        .collect();
    let count = u8::try_from(fitting.len()).unwrap_or_default();
    let mut reply: Vec<u8> = question.octets.iter().take(2).copied().collect();
    reply.extend([0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
    reply.extend(question.octets.iter().take(end).skip(HEADER_OCTETS));
    for data in fitting {
        // A pointer to the name in the question, the type, class IN, and a time to live of 0.
        reply.extend([0xc0, 0x0c]);
        reply.extend(question.kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 0, 0]);
        reply.push(u8::try_from(data.len()).unwrap_or_default());
        reply.extend(data);
    }
    reply
}

const HEADER_OCTETS: usize = 12;
