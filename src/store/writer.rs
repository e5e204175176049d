//! The one writer: a thread with a connection of its own. Jobs that wait are done in one transaction, behind a savepoint each, and are answered
//! when it is on the disk: one `fsync` serves them all.
//!
//! On PostgreSQL it is the same: each transaction first takes a lock that all writers of one database take, so that there too what a job reads stays
//! true until its end, whatever other process writes. Committing together then pays the same way.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use sqlx::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::hang::Hang;
use super::location::{Location, Which};
use super::{Conn, Link, Tx, execute, migrate, postgres, sqlite, whose, words};
use crate::diag::Diagnostic;

/// Jobs that may wait; whoever comes then waits to be let in.
const WAITING: usize = 1024;

/// A transaction is closed after this many jobs, or after this long, however many wait.
const MOST: usize = 512;
const LONGEST: Duration = Duration::from_millis(50);

/// All writers of one PostgreSQL database and schema take this lock: the letters HRTH, and the schema.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1213355080, hashtext(current_schema()))";

type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Does the work and gives how to answer for it, once it is known what became of the whole transaction.
type Job = Box<dyn for<'a> FnOnce(&'a mut Tx) -> Local<'a, Worked> + Send>;
type Answer = Box<dyn FnOnce(Result<(), Diagnostic>) + Send>;

struct Worked {
    /// Its own work came to a good end.
    good: bool,
    answer: Answer,
}

enum Message {
    Ready(oneshot::Sender<Result<(), Diagnostic>>),
    Work(Job, oneshot::Sender<Diagnostic>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer's thread, which is started with the first message.
pub struct Writer {
    location: Location,
    hang: Hang,
    way: Mutex<Option<mpsc::Sender<Message>>>,
    /// Its tables are those of this version.
    ready: Arc<AtomicBool>,
    closed: AtomicBool,
}

impl Writer {
    pub fn new(location: Location, hang: Hang) -> Writer {
        Writer { location, hang, way: Mutex::new(None), ready: Arc::default(), closed: AtomicBool::new(false) }
    }

    /// Opens the database and brings its tables up to date, where that was not done yet.
    pub async fn ready(&self) -> Result<(), Diagnostic> {
        if self.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let (answer, wait) = oneshot::channel();
        self.send(Message::Ready(answer)).await?;
        wait.await.unwrap_or_else(|_| Err(words::closed(&self.location)))
    }

    pub async fn write<T, F>(&self, job: F) -> Result<T, Diagnostic>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T, Diagnostic> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel::<Result<T, Diagnostic>>();
        let (refuse, refused) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            Box::pin(async move {
                let done = job(tx).await;
                let good = done.is_ok();
                // Nobody waits any more: that changes nothing.
                let answer: Answer = Box::new(move |committed| drop(answer.send(committed.and(done))));
                Worked { good, answer }
            })
        });
        self.send(Message::Work(job, refuse)).await?;
        match wait.await {
            Ok(done) => done,
            // The job was never begun, or it panicked.
            Err(_) => Err(refused.await.unwrap_or_else(|_| words::closed(&self.location))),
        }
    }

    /// Ends the thread when what was sent to it is done.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let way = self.way.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(way) = way {
            let (answer, wait) = oneshot::channel();
            if way.send(Message::Close(answer)).await.is_ok() {
                let _ = wait.await;
            }
        }
    }

    async fn send(&self, message: Message) -> Result<(), Diagnostic> {
        if self.hang.is_fresh() {
            return Err(words::hangs(&self.location));
        }
        let way = self.way()?;
        way.send(message).await.map_err(|_| words::closed(&self.location))
    }

    fn way(&self) -> Result<mpsc::Sender<Message>, Diagnostic> {
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Acquire) {
            return Err(words::closed(&self.location));
        }
        if let Some(way) = way.as_ref() {
            return Ok(way.clone());
        }
        let (send, receive) = mpsc::channel(WAITING);
        let (location, hang, ready) = (self.location.clone(), self.hang.clone(), self.ready.clone());
        // Of its own: the runtime of whoever asks may end before what was asked is done, and a job's future need not be `Send`.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            let thread = std::thread::Builder::new().name("store writer".into());
            thread.spawn(move || runtime.block_on(Work { location, hang, ready, conn: None }.run(receive)))
        });
        started.map_err(|error| words::unusable(&self.location, &error.to_string()))?;
        *way = Some(send.clone());
        Ok(send)
    }
}

/// What runs in the thread.
struct Work {
    location: Location,
    hang: Hang,
    ready: Arc<AtomicBool>,
    conn: Option<Conn>,
}

impl Work {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut closing = None;
        while let Some(message) = messages.recv().await {
            match message {
                Message::Ready(answer) => {
                    let opened = self.opened().await;
                    let _ = answer.send(opened.clone());
                    if let Err(told) = opened {
                        closing = refuse(told, &mut messages);
                    }
                }
                Message::Work(job, refuse) => closing = self.together((job, refuse), &mut messages).await,
                Message::Close(answer) => closing = Some(answer),
            }
            if closing.is_some() {
                break;
            }
        }
        if let Some(conn) = self.conn.take() {
            end(conn).await;
        }
        if let Some(answer) = closing {
            let _ = answer.send(());
        }
    }

    /// Sees to a connection to tables of this version.
    async fn opened(&mut self) -> Result<(), Diagnostic> {
        if self.conn.is_some() {
            return Ok(());
        }
        let link = match &self.location.which {
            Which::File { path, .. } => Link::Sqlite(Box::new(sqlite::writer(&self.location, path).await?)),
            Which::Server { options, .. } => {
                Link::Postgres(Box::new(postgres::writer(&self.location, options, &self.hang).await?))
            }
        };
        let mut conn = Conn::new(link, self.location.clone(), self.hang.clone());
        let settled = match migrate::settle(&mut conn).await {
            Ok(()) => whose::claim(&mut conn).await,
            refused => refused,
        };
        match settled {
            Ok(()) => {
                self.conn = Some(conn);
                self.ready.store(true, Ordering::Release);
                Ok(())
            }
            Err(told) => {
                end(conn).await;
                Err(told)
            }
        }
    }

    /// Begins a transaction, on a new connection where the old one is gone: nothing was done yet that could be done twice.
    async fn begun(&mut self) -> Result<Tx, Diagnostic> {
        let mut again = self.conn.is_some();
        loop {
            self.opened().await?;
            let Some(mut conn) = self.conn.take() else { return Err(words::closed(&self.location)) };
            let begun = match conn.is_postgres() {
                false => execute!(&mut conn, "BEGIN IMMEDIATE"),
                true => match execute!(&mut conn, "BEGIN") {
                    Ok(_) => execute!(&mut conn, LOCK),
                    refused => refused,
                },
            };
            match begun {
                Ok(_) => return Ok(Tx { conn, changed: false }),
                Err(told) => {
                    end(conn).await;
                    if !std::mem::take(&mut again) || told.code == "store.busy" || self.hang.is_fresh() {
                        return Err(told);
                    }
                }
            }
        }
    }

    /// Does this job and those that wait behind it in one transaction, and answers them all. Gives whom to tell where it was asked to end.
    async fn together(
        &mut self,
        first: (Job, oneshot::Sender<Diagnostic>),
        messages: &mut mpsc::Receiver<Message>,
    ) -> Option<oneshot::Sender<()>> {
        let mut tx = match self.begun().await {
            Ok(tx) => tx,
            Err(told) => {
                let _ = first.1.send(told.clone());
                return refuse(told, messages);
            }
        };
        let (mut answers, mut readies, mut closing, mut changed) = (Vec::new(), Vec::new(), None, false);
        let (mut next, began) = (Some(first), Instant::now());
        let mut broken = None;
        while let Some((job, refuse)) = next.take() {
            match one(&mut tx, job).await {
                Ok(Some(worked)) => {
                    changed |= worked.good && tx.changed;
                    answers.push(worked);
                }
                Ok(None) => drop(refuse.send(words::bug(&self.location))),
                Err(told) => {
                    let _ = refuse.send(told.clone());
                    broken = Some(told);
                    break;
                }
            }
            while next.is_none() && closing.is_none() && answers.len() < MOST && began.elapsed() < LONGEST {
                match messages.try_recv() {
                    Ok(Message::Work(job, refuse)) => next = Some((job, refuse)),
                    Ok(Message::Ready(answer)) => readies.push(answer),
                    Ok(Message::Close(answer)) => closing = Some(answer),
                    Err(_) => break,
                }
            }
        }
        let committed = match broken {
            Some(told) => Err(told),
            None => commit(&mut tx, changed, answers.iter().any(|worked| worked.good)).await,
        };
        match &committed {
            Ok(()) => self.conn = Some(tx.conn),
            // What became of the transaction is not known on this side: closing the connection ends it.
            Err(_) => end(tx.conn).await,
        }
        for worked in answers {
            (worked.answer)(committed.clone());
        }
        for answer in readies {
            let _ = answer.send(Ok(()));
        }
        closing
    }
}

/// One job behind a savepoint. `None`: it panicked, and left nothing behind. An error is the end of the whole transaction.
async fn one(tx: &mut Tx, job: Job) -> Result<Option<Worked>, Diagnostic> {
    tx.changed = false;
    execute!(tx, "SAVEPOINT job")?;
    let worked = AssertUnwindSafe(async { job(tx).await }).catch_unwind().await.ok();
    if !worked.as_ref().is_some_and(|worked| worked.good) {
        execute!(tx, "ROLLBACK TO SAVEPOINT job")?;
    }
    execute!(tx, "RELEASE SAVEPOINT job")?;
    Ok(worked)
}

async fn commit(tx: &mut Tx, changed: bool, any: bool) -> Result<(), Diagnostic> {
    if changed {
        execute!(tx, "UPDATE changes SET count = count + 1 WHERE id = 1")?;
    }
    match any {
        true => execute!(tx, "COMMIT").map(drop),
        false => execute!(tx, "ROLLBACK").map(drop),
    }
}

/// The database is away: everybody who waits is told now, and not one after the other once each has waited for it.
fn refuse(told: Diagnostic, messages: &mut mpsc::Receiver<Message>) -> Option<oneshot::Sender<()>> {
    while let Ok(message) = messages.try_recv() {
        match message {
            Message::Work(_, answer) => drop(answer.send(told.clone())),
            Message::Ready(answer) => drop(answer.send(Err(told.clone()))),
            Message::Close(answer) => return Some(answer),
        }
    }
    None
}

/// Ends a connection in order, as far as that goes.
pub(super) async fn end(conn: Conn) {
    end_link(conn.link).await;
}

pub(super) async fn end_link(link: Link) {
    let ending = async {
        match link {
            Link::Sqlite(conn) => conn.close().await,
            Link::Postgres(conn) => conn.close().await,
            Link::PooledSqlite(conn) => conn.close().await,
            Link::PooledPostgres(conn) => conn.close().await,
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), ending).await;
}
