//! The people of a home.

use clap::{Args, Subcommand};

use super::{Answer, Json};

#[derive(Debug, Args)]
pub struct Users {
    #[command(subcommand)]
    pub verb: Option<UsersVerb>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum UsersVerb {
    /// Print a link for the first admin; the one before it ends
    SetupLink,
    /// Add a user; the password is asked for
    Add {
        /// User name
        name: String,
        /// viewer, member, operator or admin
        #[arg(long)]
        role: String,
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The name to show
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// A group that they are in; repeat for several
        #[arg(long = "group", value_name = "NAME")]
        groups: Vec<String>,
        /// A service that a member's account is for alone; repeat for several
        #[arg(long, value_name = "SERVICE")]
        only: Vec<String>,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Change a user; with another role, or made inactive, they are signed out everywhere
    Set {
        name: String,
        /// viewer, member, operator or admin
        #[arg(long)]
        role: Option<String>,
        /// true or false
        #[arg(long, value_name = "BOOL")]
        active: Option<bool>,
        /// Empty: none
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The name to show
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// All groups that they are in from now on, separated by commas; empty: none
        #[arg(long, value_name = "NAMES")]
        groups: Option<String>,
        /// All services that a member's account is for alone from now on, separated by commas; empty: for whatever the role opens
        #[arg(long, value_name = "SERVICES")]
        only: Option<String>,
    },
    /// Give a user another password; it is asked for. They are signed out everywhere
    Password {
        name: String,
        /// Take every other way in away too: second factor, passkeys, the link with the provider
        #[arg(long)]
        only: bool,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Take a user's second factor away, as when a phone was lost
    SecondFactor {
        name: String,
        #[arg(value_parser = ["off"])]
        what: String,
    },
    /// Show all by which a user gets in: password, second factor, passkeys, accounts at a provider, API tokens, sessions
    Show { name: String },
    /// Take a user's passkey away, as when a device was lost
    Passkeys {
        name: String,
        /// Its id, as `users show` has it
        #[arg(long, value_name = "ID", required = true)]
        remove: String,
    },
    /// Unlink a user from every provider of accounts
    Provider {
        name: String,
        #[arg(value_parser = ["unlink"])]
        what: String,
    },
    /// Show where a user is signed in
    Sessions {
        name: String,
        /// Sign them out everywhere
        #[arg(long)]
        end: bool,
        /// End this one only
        #[arg(long = "end-one", value_name = "ID", conflicts_with = "end")]
        one: Option<String>,
    },
    /// Remove a user
    Delete {
        name: String,
        /// Who gets what is theirs; without one the admins keep it for 30 days
        #[arg(long, value_name = "NAME")]
        heir: Option<String>,
        #[command(flatten)]
        answer: Answer,
    },
    /// Print a link with which somebody makes an account of their own
    Invite {
        /// viewer, member, operator or admin
        #[arg(long)]
        role: String,
        /// A service that a member's account will be for alone; repeat for several
        #[arg(long, value_name = "SERVICE")]
        only: Vec<String>,
        /// How many days it holds, 1 to 90
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// How many people it is for, 1 to 100
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For whom it is
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Show invitations that still hold, or end one
    Invitations {
        #[arg(long, value_name = "ID")]
        end: Option<String>,
    },
    /// Show groups, or make and remove one
    Groups {
        #[command(subcommand)]
        verb: Option<GroupsVerb>,
    },
}

#[derive(Debug, Subcommand)]
pub enum GroupsVerb {
    /// Make a group
    Add {
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        about: String,
    },
    /// Remove a group; its members stay
    Remove {
        name: String,
        #[command(flatten)]
        answer: Answer,
    },
}

/// Where a password comes from; never from the command line, where everybody on the machine can read it.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordFrom {
    /// Read the password from standard input, one line, instead of asking for it
    #[arg(long)]
    pub stdin: bool,
}

#[derive(Debug, Args)]
pub struct Tokens {
    #[command(subcommand)]
    pub verb: TokensVerb,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum TokensVerb {
    /// Show a user's API tokens
    List {
        /// User name
        user: String,
    },
    /// Make an API token for a user; it is shown once
    Add {
        /// User name
        user: String,
        /// What it is for
        name: String,
        /// read, operate, admin, or route:NAME for the service NAME: what it may at most; repeat for several
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// How many days it holds (default: until it is ended)
        #[arg(long)]
        days: Option<u32>,
    },
    /// End an API token
    End {
        /// User name
        user: String,
        /// As the list shows it
        id: String,
    },
}
