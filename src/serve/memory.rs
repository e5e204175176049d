//! Memory that the process does not use and keeps all the same: what the C library has freed, and parts of the program that were needed once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Between two looks. What is put together at the start is most of it; later a large plan, a hundred passwords at once, a page that somebody opened.
const EVERY: Duration = Duration::from_secs(10);

/// Gives the kernel back, now and then until `stop`, what is kept for later.
pub async fn keep_small(stop: CancellationToken) {
    let text = text();
    loop {
        give_back(text);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// A millisecond or two. `text`: where the code of this program is, address and length. Other C libraries than glibc give back as they free.
fn give_back(text: Option<(usize, usize)>) {
    // SAFETY: malloc_trim(3) may be called at any time from any thread; it touches free memory only.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
    if let Some((start, length)) = text {
        // SAFETY: these pages are those of the program's own file, mapped privately and never written to. Whatever is needed of them is mapped again by the
        // kernel from the same file, whose pages it mostly still has (madvise(2), MADV_DONTNEED).
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Where the code of this program is: address and length. A start runs through most of it, and each touch maps sixteen pages around (35 MB of which 13 are used
/// later), which every tool counts as memory of the process.
fn text() -> Option<(usize, usize)> {
    let program = std::fs::read_link("/proc/self/exe").ok()?;
    find(&std::fs::read_to_string("/proc/self/maps").ok()?, program.to_str()?)
}

fn find(maps: &str, program: &str) -> Option<(usize, usize)> {
    // `55d0c8a00000-55d0cb600000 r-xp 00d8c000 fe:00 123   /usr/bin/hearth`
    let line = maps.lines().find(|line| line.split_whitespace().nth(1) == Some("r-xp") && line.ends_with(program))?;
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    let [start, end] = [start, end].map(|hex| usize::from_str_radix(hex, 16));
    let (start, end) = (start.ok()?, end.ok()?);
    Some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_there_when_it_is_needed() {
        let (start, length) = text().unwrap();
        let here = what_was_given_back_is_there_when_it_is_needed as fn() as usize;
        assert!((start..start + length).contains(&here), "the code of this program");
        (0..3).for_each(|_| give_back(text()));
        assert_eq!("still".to_uppercase(), "STILL");
    }

    #[test]
    fn only_the_programs_own_code_is_found() {
        let maps = "\
            7f00a0000000-7f00a0100000 r-xp 00028000 fe:00 9 /usr/lib/libc.so.6\n\
            55d0c8000000-55d0c8a00000 r--p 00000000 fe:00 1 /usr/bin/hearth\n\
            55d0c8a00000-55d0cb600000 r-xp 00a00000 fe:00 1 /usr/bin/hearth\n\
            55d0cb600000-55d0cb700000 r--p 03600000 fe:00 1 /usr/bin/hearth\n";
        assert_eq!(find(maps, "/usr/bin/hearth"), Some((0x55d0_c8a0_0000, 0x2c0_0000)));
        assert_eq!(find(maps, "/usr/bin/other"), None);
    }
}
