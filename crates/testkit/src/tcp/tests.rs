use super::*;

#[test]
fn the_echo_sends_back_and_records() {
    let server = TcpServer::echo().unwrap();
    let mut client = poll::connect(server.address()).unwrap();
    client.write_all(b"ping").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
    assert_eq!(server.connections(), [b"ping".to_vec()]);
}

#[test]
fn the_recorder_keeps_connections_apart() {
    let server = TcpServer::recorder().unwrap();
    let mut first = poll::connect(server.address()).unwrap();
    server.wait_for_connections(1).unwrap();
    let mut second = poll::connect(server.address()).unwrap();
    server.wait_for_connections(2).unwrap();
    second.write_all(b"two").unwrap();
    first.write_all(b"one").unwrap();
    server.wait_for(b"one").unwrap();
    server.wait_for(b"two").unwrap();
    assert_eq!(server.connections(), [b"one".to_vec(), b"two".to_vec()]);
    assert!(!server.has_received(b"onetwo"));
}

#[test]
fn the_banner_comes_before_the_client_has_said_anything() {
    let server = TcpServer::banner(b"SSH-2.0-test\r\n").unwrap();
    let mut client = poll::connect(server.address()).unwrap();
    let mut banner = [0; 14];
    client.read_exact(&mut banner).unwrap();
    assert_eq!(&banner, b"SSH-2.0-test\r\n");
}

#[test]
fn a_dropped_server_closes_its_connections_and_its_port() {
    let server = TcpServer::echo().unwrap();
    let address = server.address();
    let mut client = poll::connect(address).unwrap();
    server.wait_for_connections(1).unwrap();
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    poll::connect(address).unwrap_err();
}
