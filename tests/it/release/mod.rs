//! What is released: the static executable, its packages, and how engines install them.

mod executable;
mod packages;
mod root;
