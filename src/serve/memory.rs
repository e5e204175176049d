//! Memory that the process has freed, and the C library keeps.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Between two looks. What is put together at the start is most of it; later a large plan, or a hundred passwords at once.
const EVERY: Duration = Duration::from_secs(600);

/// Gives the kernel back, now and then until `stop`, what the allocator keeps for later.
pub async fn keep_small(stop: CancellationToken) {
    loop {
        give_back();
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Some milliseconds. Other C libraries than glibc do it as they free.
fn give_back() {
    // SAFETY: malloc_trim(3) may be called at any time from any thread; it touches free memory only.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}
