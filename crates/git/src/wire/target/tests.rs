use super::*;

const PUSH: &str = "application/x-git-receive-pack-request";
const FETCH: &str = "application/x-git-upload-pack-request";
const LFS: &str = "application/vnd.git-lfs+json";
const OID: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn each_request_of_git_is_known_by_all_it_says() {
    let query = |service| Some(service);
    for (method, tail, query, content_type, is) in [
        (
            "GET",
            "info/refs",
            query("service=git-upload-pack"),
            None,
            Tail::InfoRefs(GitService::UploadPack),
        ),
        (
            "GET",
            "info/refs",
            query("service=git-receive-pack"),
            None,
            Tail::InfoRefs(GitService::ReceivePack),
        ),
        (
            "POST",
            "git-upload-pack",
            None,
            Some(FETCH),
            Tail::UploadPack,
        ),
        (
            "POST",
            "git-receive-pack",
            None,
            Some(PUSH),
            Tail::ReceivePack,
        ),
        (
            "POST",
            "info/lfs/objects/batch",
            None,
            Some(LFS),
            Tail::LfsBatch,
        ),
        (
            "POST",
            "info/lfs/objects/batch",
            None,
            Some("application/vnd.git-lfs+json; charset=utf-8"),
            Tail::LfsBatch,
        ),
        ("POST", "info/lfs/locks", None, Some(LFS), Tail::LfsLock),
        (
            "POST",
            "info/lfs/locks/verify",
            None,
            Some(LFS),
            Tail::LfsLocksVerify,
        ),
        (
            "GET",
            "info/lfs/locks",
            None,
            None,
            Tail::LfsLocks { query: None },
        ),
        (
            "POST",
            "info/lfs/locks/a-1/unlock",
            None,
            Some(LFS),
            Tail::LfsUnlock {
                id: "a-1".to_owned(),
            },
        ),
    ] {
        assert_eq!(classify(method, tail, query, content_type), Ok(is));
    }
}

/// Method, tail, query and content type.
type Said = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

const DISAGREEING: &[Said] = &[
    ("HEAD", "info/refs", UP, None),
    ("POST", "info/refs", UP, Some(FETCH)),
    ("GET", "info/refs", UP, Some(FETCH)),
    ("GET", "info/refs", None, None),
    ("GET", "info/refs", Some(""), None),
    ("GET", "info/refs", Some("service=git-upload-archive"), None),
    (
        "GET",
        "info/refs",
        Some("service=git-upload-pack&x=1"),
        None,
    ),
    (
        "GET",
        "info/refs",
        Some("x=1&service=git-upload-pack"),
        None,
    ),
    (
        "GET",
        "info/refs",
        Some("service=git-upload-pack&service=git-receive-pack"),
        None,
    ),
    ("GET", "info/refs", Some("service=git%2dupload-pack"), None),
    ("GET", "info/refs", Some("service=GIT-upload-pack"), None),
    ("GET", "info/refs/", UP, None),
    ("GET", "info/refs/info/refs", UP, None),
    ("GET", "Info/refs", UP, None),
    ("GET", "git-upload-pack", None, None),
    ("POST", "git-upload-pack", None, Some(PUSH)),
    ("POST", "git-receive-pack", None, Some(FETCH)),
    ("POST", "git-receive-pack", None, None),
    (
        "POST",
        "git-receive-pack",
        None,
        Some("application/octet-stream"),
    ),
    (
        "POST",
        "git-receive-pack",
        None,
        Some("application/x-git-receive-pack-request; charset=utf-8"),
    ),
    (
        "POST",
        "git-receive-pack",
        None,
        Some("Application/X-Git-Receive-Pack-Request"),
    ),
    ("POST", "git-receive-pack", Some("x=1"), Some(PUSH)),
    ("POST", "git-receive-pack/", None, Some(PUSH)),
    ("PUT", "git-receive-pack", None, Some(PUSH)),
    ("post", "git-receive-pack", None, Some(PUSH)),
    (
        "POST",
        "git-upload-archive",
        None,
        Some("application/x-git-upload-archive-request"),
    ),
    ("GET", "", None, None),
    ("GET", "HEAD", None, None),
    ("GET", "objects/info/packs", None, None),
    ("GET", "objects/info/alternates", None, None),
    ("PROPFIND", "", None, None),
    ("MKCOL", "refs", None, None),
    (
        "POST",
        "info/lfs/objects/batch",
        None,
        Some("application/json"),
    ),
    ("GET", "info/lfs/objects/batch", None, Some(LFS)),
    ("POST", "info/lfs/objects", None, Some(LFS)),
    ("POST", "info/lfs/locks/../unlock", None, Some(LFS)),
    ("POST", "info/lfs/locks/1/unlock/x", None, Some(LFS)),
    ("DELETE", "info/lfs/locks", None, Some(LFS)),
    ("GET", "info/lfs/locks", None, Some("text/plain")),
];

const UP: Option<&str> = Some("service=git-upload-pack");

#[test]
fn a_request_that_does_not_agree_with_itself_is_refused() {
    for (method, tail, query, content_type) in DISAGREEING {
        let read = classify(method, tail, *query, *content_type);
        assert!(read.is_err(), "{method} {tail} {query:?} {content_type:?}");
    }
}

#[test]
fn an_object_is_where_we_said() {
    let object = LfsObject {
        oid: OID.to_owned(),
        octets: 12,
        ticket: "aB-_9".to_owned(),
    };
    let at = |target: &str| {
        target
            .strip_prefix('/')
            .unwrap()
            .split_once('?')
            .map(|(path, query)| (path.to_owned(), query.to_owned()))
            .unwrap()
    };
    let (path, query) = at(&object.target());
    for (method, direction) in [
        ("GET", LfsDirection::Download),
        ("PUT", LfsDirection::Upload),
    ] {
        assert_eq!(
            classify(method, &path, Some(&query), None),
            Ok(Tail::LfsObject {
                direction,
                object: object.clone()
            })
        );
    }
    let (path, query) = at(&object.verify_target());
    assert_eq!(
        classify("POST", &path, Some(&query), Some(LFS)),
        Ok(Tail::LfsVerify { object })
    );
    for (path, query) in [
        (
            format!("info/lfs/objects/{}/12", OID.to_uppercase()),
            "ticket=x",
        ),
        (format!("info/lfs/objects/{}/12", &OID[1..]), "ticket=x"),
        (format!("info/lfs/objects/{OID}/012"), "ticket=x"),
        (format!("info/lfs/objects/{OID}/-1"), "ticket=x"),
        (
            format!("info/lfs/objects/{OID}/9999999999999999"),
            "ticket=x",
        ),
        (format!("info/lfs/objects/{OID}/12"), "ticket="),
        (format!("info/lfs/objects/{OID}/12"), "ticket=a&x=1"),
        (format!("info/lfs/objects/{OID}/12"), "ticket=a%20"),
        (format!("info/lfs/objects/{OID}/12"), "x"),
        (format!("info/lfs/objects/{OID}/12/x"), "ticket=x"),
    ] {
        assert!(
            classify("GET", &path, Some(query), None).is_err(),
            "{path} {query}"
        );
    }
    assert!(classify("GET", &format!("info/lfs/objects/{OID}/12"), None, None).is_err());
}

#[test]
fn the_query_of_a_list_of_locks_is_written_anew() {
    let read = |query| classify("GET", "info/lfs/locks", Some(query), None);
    let is = |query: &str| {
        Ok(Tail::LfsLocks {
            query: Some(query.to_owned()),
        })
    };
    assert_eq!(read("limit=10&path=a%2fb+c"), is("path=a%2Fb%20c&limit=10"));
    assert_eq!(
        read("refspec=refs/heads/main"),
        is("refspec=refs%2Fheads%2Fmain")
    );
    for query in [
        "",
        "x=1",
        "path",
        "path=a&path=b",
        "path=%0a",
        "path=%zz",
        "path=%f",
        "path=%ff",
        "limit=1&",
    ] {
        assert!(read(query).is_err(), "{query}");
    }
}

#[test]
fn nothing_that_smells_of_git_is_anybody_elses() {
    for target in [
        "/acme/docs/info/refs?service=git-upload-pack",
        "/acme/docs.git/info/refs",
        "/acme/docs/git-upload-pack",
        "/acme/docs.git/git-receive-pack",
        "/acme/docs/git-upload-archive",
        "/acme/docs/HEAD",
        "/acme/docs.git/HEAD",
        "/acme/docs.git",
        "/acme/docs/objects/info/packs",
        "/acme/docs/objects/pack/pack-1.pack",
        "/acme/docs/objects/ab/cdef",
        "/acme/docs/info/lfs/objects/batch",
        "/acme/docs?x=1/info/refs&service=git-receive-pack",
        "/acme/docs?x=1/git-receive-pack",
        "/acme/docs//info//refs",
        "/acme/docs/info/./refs",
        "/acme/docs/%69nfo/refs",
        "/acme/docs/info%2frefs",
        "/acme/docs/info%252frefs",
        "/acme/docs/info%5crefs",
        "/acme/docs\\info\\refs",
        "/acme/docs/INFO/REFS",
        "/acme/docs/git%2Dreceive%2Dpack",
        "/acme/docs/git-receive-pack%00",
        "/acme/docs/git-receive-pack;x=1",
        "/acme/docs/git-receive-pack/",
        "/acme/docs%2egit/x",
    ] {
        assert!(is_git_shaped(target), "{target}");
    }
}

#[test]
fn pages_and_apis_are_not_git() {
    for target in [
        "/",
        "/acme/docs",
        "/repos/acme/docs/commits/HEAD",
        "/repos/acme/docs/git/refs/heads/main",
        "/acme/docs/blob/main/.gitignore",
        "/acme/docs/blob/main/objects/model.rs",
        "/info",
        "/search?q=info/refs",
        "/100%/x",
        "/a%",
    ] {
        assert!(!is_git_shaped(target), "{target}");
    }
}
