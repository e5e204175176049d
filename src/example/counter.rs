//! A number that grows by one with each visit, kept in a file so that it outlives its container.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use super::http::{Answer, Handler};

pub struct Counter {
    file: PathBuf,
    number: Mutex<u64>,
}

impl Counter {
    /// Reads the number in `folder`; none there means 0. `Err` where there is one that cannot be read.
    pub fn open(folder: PathBuf) -> Result<Counter, String> {
        let file = folder.join("number");
        let number = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|_| format!("{} holds no number", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
        };
        Ok(Counter { file, number: Mutex::new(number) })
    }

    /// The next number, which is on the disk before anyone hears of it.
    fn count(&self) -> std::io::Result<u64> {
        let mut number = self.number.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let next = number.saturating_add(1);
        let beside = self.file.with_extension("new");
        let mut file = File::create(&beside)?;
        writeln!(file, "{next}")?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)?;
        *number = next;
        Ok(next)
    }
}

impl Handler for Counter {
    async fn answer(&self, method: &str, path: &str) -> Answer {
        match (method, path) {
            ("GET", "/health") => Answer::text(200, "ok\n"),
            ("GET", "/number") => {
                let number = *self.number.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                Answer::text(200, format!("{number}\n"))
            }
            ("POST", "/visits") => match self.count() {
                Ok(number) => Answer::text(200, format!("{number}\n")),
                Err(error) => {
                    eprintln!("{} cannot be written: {error}", self.file.display());
                    Answer::text(503, "the number cannot be kept\n")
                }
            },
            (_, "/health" | "/number" | "/visits") => Answer::text(405, "not like this\n"),
            _ => Answer::text(404, "there is nothing here\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_number_outlives_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let counter = Counter::open(dir.path().to_path_buf()).unwrap();
        assert_eq!(counter.answer("GET", "/number").await.body, "0\n");
        assert_eq!(counter.answer("POST", "/visits").await.body, "1\n");
        assert_eq!(counter.answer("POST", "/visits").await.body, "2\n");
        let again = Counter::open(dir.path().to_path_buf()).unwrap();
        assert_eq!(again.answer("GET", "/number").await.body, "2\n");
        assert_eq!(again.answer("DELETE", "/number").await.status, 405);
        fs::write(dir.path().join("number"), "lots").unwrap();
        assert!(Counter::open(dir.path().to_path_buf()).is_err());
    }
}
