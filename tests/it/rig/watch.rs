//! What happens in a folder, as whoever watches it is told.

use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// Watches as long as the test's process runs.
pub struct Watch(Arc<Mutex<Vec<String>>>);

impl Watch {
    /// From now on. Events are taken as they come: of those that wait, the kernel makes one out of equal ones.
    pub fn new(folder: &Path) -> Watch {
        let watch = inotify::init(CreateFlags::CLOEXEC).expect("a folder can be watched");
        let all = WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO;
        inotify::add_watch(&watch, folder, all).expect("the folder is there");
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let list = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(&watch, &mut buffer);
            while let Ok(event) = reader.next() {
                let kinds = [
                    (ReadFlags::MOVED_TO, "moved in"),
                    (ReadFlags::MOVED_FROM, "moved out"),
                    (ReadFlags::CREATE, "made"),
                    (ReadFlags::MODIFY, "written"),
                    (ReadFlags::DELETE, "removed"),
                ];
                let kind = kinds.iter().find(|(flag, _)| event.events().contains(*flag));
                let name = event.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let line = format!("{}: {name}", kind.map_or("changed", |(_, word)| word));
                list.lock().expect("nobody panics with it").push(line);
            }
        });
        Watch(seen)
    }

    /// What happened since the last time, in words with the file's name.
    pub fn events(&self) -> Vec<String> {
        std::thread::sleep(Duration::from_millis(100));
        std::mem::take(&mut self.0.lock().expect("nobody panics with it"))
    }
}
