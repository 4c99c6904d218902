use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence_model::{Scheme, Secret};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

use super::*;

fn key(version: u64) -> Key {
    ("crm".parse().unwrap(), version)
}

/// An issuer that numbers what it gives out.
#[derive(Default)]
struct Issuer {
    asked: AtomicUsize,
    fails: std::sync::atomic::AtomicBool,
}

impl Issuer {
    async fn issue(self: Arc<Self>, life: Option<u64>) -> Made {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(Duration::from_millis(100)).await;
        if self.fails.load(Ordering::SeqCst) {
            return Err(unavailable(&key(1).0, format!("no {number}")));
        }
        let value = Secret::new(number.to_string());
        Ok(Arc::new(Ready {
            material: Arc::new(Material {
                name: key(1).0,
                version: 1,
                injections: Vec::new(),
                value: Some(value.clone()),
                secrets: vec![value],
                minted: true,
            }),
            binding: Binding::parse("api.acme.test", None, Scheme::Https).unwrap(),
            host: None,
            life: life.map(Duration::from_secs),
        }))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

struct Bench {
    cache: Arc<Cache>,
    issuer: Arc<Issuer>,
    life: Option<u64>,
}

impl Bench {
    fn new(life: Option<u64>) -> Self {
        Self {
            cache: Arc::default(),
            issuer: Arc::default(),
            life,
        }
    }

    async fn ready(&self) -> Made {
        let (issuer, life) = (Arc::clone(&self.issuer), self.life);
        self.cache.get(&key(1), || issuer.issue(life)).await
    }

    /// The number of what is given out.
    async fn number(&self) -> Result<String, String> {
        let ready = self.ready().await.map_err(|error| error.to_string())?;
        let value = ready.material.value.as_ref().unwrap().expose();
        Ok(String::from_utf8(value.to_vec()).unwrap())
    }
}

fn said(number: usize) -> Result<String, String> {
    Err(format!("the credential `crm` cannot be had: no {number}"))
}

#[tokio::test(start_paused = true)]
async fn two_hundred_requests_at_once_ask_the_issuer_once() {
    let bench = Arc::new(Bench::new(Some(3600)));
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let bench = Arc::clone(&bench);
        requests.spawn(async move { bench.number().await });
    }
    for number in requests.join_all().await {
        assert_eq!(number, Ok("1".to_owned()));
    }
    assert_eq!(bench.issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_kept_though_nobody_waits_any_more() {
    let bench = Bench::new(Some(3600));
    let impatient = tokio::time::timeout(Duration::from_millis(10), bench.number());
    assert!(impatient.await.is_err());
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    assert_eq!(bench.issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_one_is_made_shortly_before_the_old_one_ends_and_nobody_waits_for_it() {
    let bench = Bench::new(Some(3600));
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    advance(Duration::from_secs(3600 - 61)).await;
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    assert_eq!(bench.issuer.asked(), 1);
    advance(Duration::from_secs(2)).await;
    let before = Instant::now();
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    assert_eq!(before.elapsed(), Duration::ZERO);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.number().await, Ok("2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_never_given_out() {
    let bench = Bench::new(Some(40));
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    bench.issuer.fail(true);
    // While a new one cannot be had, the old one serves to its end and not longer.
    advance(Duration::from_secs(35)).await;
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    sleep(Duration::from_secs(4)).await;
    assert_eq!(bench.number().await, Ok("1".to_owned()));
    sleep(Duration::from_secs(2)).await;
    assert!(bench.number().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_kept_for_a_pause_that_grows() {
    let bench = Bench::new(None);
    bench.issuer.fail(true);
    assert_eq!(bench.number().await, said(1));
    assert_eq!(bench.number().await, said(1));
    sleep(Duration::from_millis(1_050)).await;
    assert_eq!(bench.number().await, said(2));
    sleep(Duration::from_millis(1_050)).await;
    assert_eq!(bench.number().await, said(2));
    sleep(Duration::from_millis(1_000)).await;
    assert_eq!(bench.number().await, said(3));
    for _ in 0..10 {
        sleep(LONGEST_PAUSE + Duration::from_millis(1)).await;
        assert!(bench.number().await.is_err());
    }
    assert_eq!(bench.issuer.asked(), 13);
    bench.issuer.fail(false);
    sleep(LONGEST_PAUSE).await;
    assert_eq!(bench.number().await, Ok("14".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_one_is_made_anew_once() {
    let bench = Bench::new(Some(3600));
    let first = bench.ready().await.unwrap();
    for _ in 0..200 {
        bench.cache.rejected(&key(1), &first.material);
    }
    let second = bench.ready().await.unwrap();
    assert_eq!(bench.issuer.asked(), 2);
    // An upstream that rejects everything does not make us ask the issuer all the time.
    bench.cache.rejected(&key(1), &first.material);
    bench.cache.rejected(&key(1), &second.material);
    assert_eq!(bench.number().await, Ok("2".to_owned()));
    advance(REMINT_PAUSE).await;
    bench.cache.rejected(&key(1), &second.material);
    assert_eq!(bench.number().await, Ok("3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_any_more_is_forgotten_even_while_it_is_made() {
    let bench = Arc::new(Bench::new(Some(3600)));
    let (asking, waiting) = (Arc::clone(&bench), bench.ready());
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(10), &mut waiting);
    assert!(early.await.is_err());
    asking.cache.retain(|(_, version)| *version == 2);
    assert!(waiting.await.is_err());
    assert_eq!(bench.number().await, Ok("2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_holds_nobody_up() {
    let cache: Arc<Cache> = Arc::default();
    let made = cache
        .get(&key(1), || async { panic!("a fault of ours") })
        .await;
    assert!(made.is_err());
    let issuer = Arc::new(Issuer::default());
    let made = cache.get(&key(1), || issuer.issue(None)).await;
    assert!(made.is_ok());
}
