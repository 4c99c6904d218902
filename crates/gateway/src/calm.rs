//! Polls a future again where it woke itself. One connection is a conversation between its parts:
//! the library that reads requests, what answers them, the library that speaks to the upstream. A
//! runtime would end the turn at each word of theirs, queue the whole anew and wake another thread
//! to look into the queue.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use tokio::task::coop::has_budget_remaining;

/// Turns in a row, in case that the budget does not end them.
const MOST_TURNS: usize = 64;

/// A future that is polled until it waits for something else than itself.
pub(crate) struct Calm<F> {
    future: Pin<Box<F>>,
    inner: Arc<Inner>,
    waker: Waker,
}

/// What the parts of the future wake.
#[derive(Default)]
struct Inner {
    state: AtomicU8,
    outer: AtomicWaker,
}

/// Nobody polls it, and it waits.
const WAITING: u8 = 0;
/// It is being polled.
const POLLED: u8 = 1;
/// It was woken, whether it is being polled or not.
const WOKEN: u8 = 2;

impl<F> Calm<F> {
    pub(crate) fn new(future: F) -> Self {
        let inner = Arc::new(Inner::default());
        Self {
            future: Box::pin(future),
            waker: Waker::from(Arc::clone(&inner)),
            inner,
        }
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) == WAITING {
            self.outer.wake();
        }
    }
}

impl<F: Future> Future for Calm<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let state = &this.inner.state;
        this.inner.outer.register(cx.waker());
        for _ in 0..MOST_TURNS {
            state.swap(POLLED, Ordering::AcqRel);
            let mut inside = Context::from_waker(&this.waker);
            if let Poll::Ready(output) = this.future.as_mut().poll(&mut inside) {
                return Poll::Ready(output);
            }
            let waits =
                state.compare_exchange(POLLED, WAITING, Ordering::AcqRel, Ordering::Acquire);
            if waits.is_ok() {
                return Poll::Pending;
            }
            if !has_budget_remaining() {
                break;
            }
        }
        // It has more to do, and others have their turn first.
        state.store(WOKEN, Ordering::Release);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Polls once, and says what came of it and how often the outer waker was woken.
    fn polled<F: Future>(calm: &mut Calm<F>, count: &Arc<Count>) -> (Poll<F::Output>, usize) {
        let waker = Waker::from(Arc::clone(count));
        let polled = Pin::new(calm).poll(&mut Context::from_waker(&waker));
        (polled, count.0.load(Ordering::SeqCst))
    }

    #[test]
    fn what_wakes_itself_goes_on_without_its_owner() {
        let mut left = 5;
        let mut calm = Calm::new(poll_fn(move |cx| {
            left -= 1;
            if left == 0 {
                return Poll::Ready("done");
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        let count = Arc::default();
        assert_eq!(polled(&mut calm, &count), (Poll::Ready("done"), 0));
    }

    #[test]
    fn what_waits_wakes_its_owner_once_and_is_polled_again() {
        let inner: Arc<std::sync::Mutex<Option<Waker>>> = Arc::default();
        let kept = Arc::clone(&inner);
        let mut polls = 0;
        let mut calm = Calm::new(poll_fn(move |cx| {
            *kept.lock().unwrap() = Some(cx.waker().clone());
            polls += 1;
            if polls == 3 {
                return Poll::Ready(());
            }
            Poll::Pending
        }));
        let count = Arc::default();
        for woken in 0..2 {
            assert_eq!(polled(&mut calm, &count), (Poll::Pending, woken));
            let waker = inner.lock().unwrap().clone().unwrap();
            waker.wake_by_ref();
            waker.wake();
        }
        assert_eq!(polled(&mut calm, &count), (Poll::Ready(()), 2));
    }

    #[test]
    fn what_always_wakes_itself_lets_others_have_their_turn() {
        let mut calm = Calm::new(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let count = Arc::default();
        assert_eq!(polled(&mut calm, &count), (Poll::Pending, 1));
        assert_eq!(polled(&mut calm, &count), (Poll::Pending, 2));
    }
}
