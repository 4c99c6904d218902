//! The far end of `bulk`: after any octets from a client it sends a file from memory, again and again, by `sendfile`.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use anyhow::Result;
use clap::Args;
use rustix::fs::{MemfdFlags, memfd_create, sendfile};

const MEBIBYTE: usize = 1 << 20;
const FILE_OCTETS: usize = 64 * MEBIBYTE;

#[derive(Args)]
pub struct Options {
    /// The port on 127.0.0.1.
    #[arg(long)]
    port: u16,
}

pub fn serve(options: &Options) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    let mut file = File::from(memfd_create("bulk", MemfdFlags::CLOEXEC)?);
    for _ in 0..FILE_OCTETS / MEBIBYTE {
        file.write_all(&[0x5a; MEBIBYTE])?;
    }
    for stream in listener.incoming() {
        let (stream, file) = (stream?, file.try_clone()?);
        // Ends when the client goes away.
        thread::spawn(move || send(stream, &file));
    }
    Ok(())
}

fn send(mut stream: TcpStream, file: &File) -> Result<()> {
    if stream.read(&mut [0; 4096])? == 0 {
        return Ok(());
    }
    loop {
        let mut offset = 0;
        while (offset as usize) < FILE_OCTETS {
            let rest = FILE_OCTETS - offset as usize;
            sendfile(&stream, file, Some(&mut offset), rest)?;
        }
    }
}
