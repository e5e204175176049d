//! Whether something goes on in a connection: a handler works, or an answer is being taken.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Bytes of one write that count as progress: a ping of ours, or an answer that a client takes by the drop, is less.
const PROGRESS: usize = 512;

/// One connection's activity, shared by all that see some of it.
#[derive(Clone)]
pub struct Activity(Arc<State>);

struct State {
    begun: Instant,
    /// Milliseconds from `begun`.
    last: AtomicU64,
    working: AtomicUsize,
}

impl Activity {
    pub fn new() -> Activity {
        Activity(Arc::new(State { begun: Instant::now(), last: AtomicU64::new(0), working: AtomicUsize::new(0) }))
    }

    fn touch(&self) {
        let passed = self.0.begun.elapsed().as_millis();
        self.0.last.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A handler works until what is given is dropped.
    pub fn work(&self) -> Working {
        self.0.working.fetch_add(1, Ordering::Relaxed);
        self.touch();
        Working(self.clone())
    }

    /// When the connection has been idle for `idle`, unless something happens; `None`: it has.
    pub fn idle_at(&self, idle: Duration) -> Option<Instant> {
        let now = Instant::now();
        if self.0.working.load(Ordering::Relaxed) > 0 {
            return Some(now + idle);
        }
        let at = self.0.begun + Duration::from_millis(self.0.last.load(Ordering::Relaxed)) + idle;
        (at > now).then_some(at)
    }
}

/// See [`Activity::work`].
pub struct Working(Activity);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.touch();
        self.0.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose larger writes are activity.
pub struct Watched<S> {
    stream: S,
    activity: Activity,
}

impl<S> Watched<S> {
    pub fn new(stream: S, activity: Activity) -> Watched<S> {
        Watched { stream, activity }
    }

    fn saw(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(n)) if *n >= PROGRESS) {
            self.activity.touch();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.saw(&written);
        written
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.saw(&written);
        written
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
