//! Groups: sets of people for routes and shares.

use serde::Serialize;

use super::words::{self, no_such_group, no_such_user};
use super::{Auth, sql};
use crate::diag::{Diagnostic, Kind};
use crate::web::{Etag, Over};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub name: String,
    pub about: String,
    /// User names, in order.
    pub members: Vec<String>,
    /// Milliseconds since 1970.
    pub created: i64,
}

impl Group {
    /// Of all that can be changed of it.
    pub fn tag(&self) -> Etag {
        Etag::of(format!("{:?}", (&self.name, &self.about, &self.members)).as_bytes())
    }
}

impl Auth {
    /// All, by name.
    pub async fn groups(&self) -> Result<Vec<Group>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let mut groups = Vec::new();
        for row in sql::groups::all(&mut on).await? {
            let members = sql::groups::members(&mut on, &row.name).await?;
            groups.push(Group { name: row.name, about: row.about, members, created: row.created });
        }
        Ok(groups)
    }

    pub async fn group(&self, name: &str) -> Result<Group, Diagnostic> {
        let mut on = self.db.reader().await?;
        let row = sql::groups::one(&mut on, name).await?.ok_or_else(|| no_such_group(name))?;
        let members = sql::groups::members(&mut on, name).await?;
        Ok(Group { name: row.name, about: row.about, members, created: row.created })
    }

    pub async fn add_group(&self, name: &str, about: &str) -> Result<Group, Diagnostic> {
        let (name, now) = (words::group_name(name)?, self.now());
        let about = words::note(about, "about", 200)?;
        let added = name.clone();
        self.db
            .write(async move |tx| match sql::groups::add(tx, &added, &about, now).await? {
                true => Ok(()),
                false => Err(Diagnostic::error("auth.taken", format!("there is a group `{added}` already"))
                    .kind(Kind::Conflict)
                    .hint("take another name")),
            })
            .await?;
        self.group(&name).await
    }

    /// Changes what a group is for, or who is in it; `None` stays. `over`: the version that it was made of.
    pub async fn change_group(
        &self,
        name: &str,
        about: Option<&str>,
        members: Option<Vec<String>>,
        over: Option<&Over>,
    ) -> Result<Group, Diagnostic> {
        let over = over.cloned();
        let (changed, about) = (name.to_owned(), about.map(|about| words::note(about, "about", 200)).transpose()?);
        self.end(async move |tx| {
            let row = sql::groups::one(tx, &changed).await?.ok_or_else(|| no_such_group(&changed))?;
            if let Some(over) = over {
                let members = sql::groups::members(tx, &changed).await?;
                let now = Group { name: row.name.clone(), about: row.about.clone(), members, created: row.created };
                over.holds(&now.tag())?;
            }
            sql::groups::describe(tx, &changed, about.as_ref().unwrap_or(&row.about)).await?;
            if let Some(members) = members {
                sql::groups::empty(tx, &changed).await?;
                for member in members {
                    let told = || no_such_user(format!("`{member}`"));
                    let member = words::given_name(&member).ok_or_else(told)?;
                    let user = sql::users::by_name(tx, &member).await?.ok_or_else(told)?;
                    sql::groups::join(tx, user.id, &changed).await?;
                }
                tx.changed();
            }
            Ok(())
        })
        .await?;
        self.group(name).await
    }

    /// Removes a group; its members stay.
    pub async fn remove_group(&self, name: &str) -> Result<(), Diagnostic> {
        let name = name.to_owned();
        self.end(async move |tx| {
            tx.changed();
            match sql::groups::remove(tx, &name).await? {
                true => Ok(()),
                false => Err(no_such_group(&name)),
            }
        })
        .await
    }
}
