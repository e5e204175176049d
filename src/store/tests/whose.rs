//! One database, one home.

use std::path::Path;

use super::super::*;
use super::*;

fn state(home: &Path) -> String {
    std::fs::read_to_string(home.join("state/home")).unwrap_or_default().trim().to_owned()
}

async fn id(db: &Db) -> Option<String> {
    let found: Option<(String,)> =
        fetch_optional!(&mut db.reader().await.unwrap(), "SELECT value FROM kept WHERE name = 'home'").unwrap();
    found.map(|(id,)| id)
}

async fn forget(db: &Db) {
    db.write(async |tx| execute!(tx, "DELETE FROM kept WHERE name = 'home'").map(drop)).await.unwrap();
}

/// Opens it, and closes it again.
async fn opens(location: Location) -> Result<(), Diagnostic> {
    let db = Db::open(location).await?;
    db.close().await;
    Ok(())
}

async fn is_refused(location: Location) {
    for told in [opens(location.clone()).await.unwrap_err(), Db::look(location).await.map(drop).unwrap_err()] {
        assert_eq!((told.code, told.kind.exit_code()), ("store.other-home", 5), "{}", told.title);
        assert!(told.hints.iter().any(|hint| hint.contains("hearth db take")), "{:?}", told.hints);
    }
}

/// Two folders for homes, and what the URL of one new database makes of each.
async fn two_homes() -> (tempfile::TempDir, tempfile::TempDir, impl Fn(&Path) -> Location) {
    let name = server::new_name();
    as_owner(&format!("CREATE DATABASE {name}")).await;
    let of = move |home: &Path| Location::of_home(home, Some(&shared().url(&name))).unwrap();
    (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), of)
}

#[tokio::test]
async fn hostile_16_two_homes_do_not_share_a_database() {
    let (one, other, of) = two_homes().await;
    opens(of(one.path())).await.unwrap();
    assert_eq!(state(one.path()).len(), 32);
    // One that is new, and one that has had a database of its own.
    is_refused(of(other.path())).await;
    assert!(!other.path().join("state").exists(), "a refusal leaves nothing");
    opens(Location::of_home(other.path(), None).unwrap()).await.unwrap();
    is_refused(of(other.path())).await;
    opens(of(one.path())).await.unwrap();
    // On purpose: then the first one is refused.
    opens(of(other.path()).taking()).await.unwrap();
    opens(of(other.path())).await.unwrap();
    is_refused(of(one.path())).await;
    // Neither writes there what it was refused to write.
    let db = Db::at(of(one.path()));
    assert_eq!(db.write(async |_| Ok(())).await.unwrap_err().code, "store.other-home");
    db.close().await;
}

#[tokio::test]
async fn a_home_that_was_there_before_takes_its_database_once_and_without_a_word() {
    let (one, other, of) = two_homes().await;
    let db = Db::open(of(one.path())).await.unwrap();
    // As an earlier version left both, as a copy of before leaves the one, and as an older `state/` the other.
    forget(&db).await;
    std::fs::remove_file(one.path().join("state/home")).unwrap();
    opens(of(one.path())).await.unwrap();
    let given = state(one.path());
    assert_eq!(id(&db).await, Some(given.clone()));
    forget(&db).await;
    opens(of(one.path())).await.unwrap();
    assert_eq!((id(&db).await, state(one.path())), (Some(given.clone()), given));
    is_refused(of(other.path())).await;
    // A lost `state/` is no proof of anything: whoever has the URL could say that.
    std::fs::remove_dir_all(one.path().join("state")).unwrap();
    is_refused(of(one.path())).await;
    opens(of(one.path()).taking()).await.unwrap();
    opens(of(one.path())).await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn of_homes_that_begin_at_once_one_has_the_database_with_all_of_its_processes() {
    let (one, other, of) = two_homes().await;
    let homes = [one.path(), other.path()];
    let tries = (0..12).map(|n| {
        let location = of(homes[n % 2]);
        tokio::spawn(async move { opens(location).await.map_err(|told| told.code) })
    });
    let done: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let of_home = |home: usize| done.iter().skip(home).step_by(2).copied().collect::<Vec<_>>();
    let (good, refused) = ([Ok(()); 6], [Err("store.other-home"); 6]);
    let (first, second) = (of_home(0), of_home(1));
    assert!(first == good && second == refused || first == refused && second == good, "{first:?} {second:?}");
    // Beside it nothing is left.
    for home in homes {
        let names =
            std::fs::read_dir(home.join("state")).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{names:?}");
    }
}

#[tokio::test]
async fn a_home_goes_on_in_a_copy_of_its_database_in_both_directions() {
    let (one, other, of) = two_homes().await;
    let file = |home: &Path| Location::of_home(home, None).unwrap();
    let db = Db::open(file(one.path())).await.unwrap();
    let given = state(one.path());
    assert_eq!(id(&db).await, Some(given.clone()));
    let to = of(one.path());
    db.copy_to(&Location::server(&shared().url(to.to_string().rsplit('/').next().unwrap())).unwrap()).await.unwrap();
    db.close().await;
    opens(to.clone()).await.unwrap();
    is_refused(of(other.path())).await;
    let db = Db::open(to).await.unwrap();
    let copy = one.path().join("copy.db");
    db.copy_to(&Location::typed("copy.db", one.path()).unwrap()).await.unwrap();
    db.close().await;
    std::fs::remove_file(one.path().join("state/hearth.db")).unwrap();
    std::fs::copy(&copy, one.path().join("state/hearth.db")).unwrap();
    let db = Db::open(file(one.path())).await.unwrap();
    assert_eq!(id(&db).await, Some(given.clone()));
    db.close().await;
    // The file in `state/` is the home's, whoever wrote it: alone it brings its id along, beside another it takes that.
    std::fs::create_dir(other.path().join("state")).unwrap();
    std::fs::copy(&copy, other.path().join("state/hearth.db")).unwrap();
    opens(file(other.path())).await.unwrap();
    assert_eq!(state(other.path()), given);
    std::fs::write(other.path().join("state/home"), "ffff\n").unwrap();
    let db = Db::open(file(other.path())).await.unwrap();
    assert_eq!(id(&db).await.as_deref(), Some("ffff"));
    db.close().await;
}
