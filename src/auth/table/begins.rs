//! "The first argument is a permission", as a bound on handlers.

/// What axum calls a handler's arguments begins with `P`.
pub trait Begins<P> {}

macro_rules! begins {
    ($($rest:ident),*) => {
        impl<M, P, $($rest),*> Begins<P> for (M, P, $($rest,)*) {}
    };
}

begins!();
begins!(A);
begins!(A, B);
begins!(A, B, C);
begins!(A, B, C, D);
begins!(A, B, C, D, E);
begins!(A, B, C, D, E, F);
begins!(A, B, C, D, E, F, G);
