//! Addresses that a form goes to, opened without one: by a browser that begins again where it was, or whoever presses Enter in its address bar. Each leads to
//! the page that has the form.

use axum::response::Response;

use super::forms::to;
use crate::auth::who::{Anyone, User};

/// After a wrong code of the second factor.
pub async fn to_login(_: Anyone) -> Response {
    to("/login")
}

/// After a wrong code while setting one up, or with the recovery codes on the screen.
pub async fn to_second_factor(_: Anyone) -> Response {
    to("/second-factor")
}

/// After a change that was refused.
pub async fn to_account(_: User) -> Response {
    to("/account")
}
