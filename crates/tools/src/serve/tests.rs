use super::*;

async fn first_line(octets: &[u8]) -> Result<(), ServeError> {
    serve(
        std::io::Cursor::new(octets.to_vec()),
        tokio::io::sink(),
        BTreeMap::new(),
    )
    .await
}

#[tokio::test]
async fn what_is_no_first_line_starts_nothing() {
    for octets in [
        &b""[..],
        b"\n",
        b"{\"kind\":\"tools\",\"text\":\"\"}",
        b"{\"kind\":\"shell\",\"text\":\"\"}\n",
        b"{\"kind\":\"cloud\",\"more\":1}\n",
        b"{\"kind\":\"cloud\",\"kind\":\"tools\"}\n",
        b"\xff\n",
    ] {
        let ended = first_line(octets).await;
        assert!(matches!(ended, Err(ServeError::FirstLine(_))), "{ended:?}");
    }
    let long = [vec![b' '; LINE_OCTETS + 10], b"\n".to_vec()].concat();
    assert!(matches!(
        first_line(&long).await,
        Err(ServeError::FirstLine(_))
    ));
    let wrong = b"{\"kind\":\"tools\",\"text\":\"kind: Tools\"}\n";
    assert!(matches!(
        first_line(wrong).await,
        Err(ServeError::Definition(_))
    ));
    let gone = b"{\"kind\":\"cloud\"}\n";
    assert!(matches!(
        first_line(gone).await,
        Err(ServeError::Protocol(_))
    ));
}
