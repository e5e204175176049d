//! `image`: the image of Hearth itself, for containers that run it.

use super::start;
use crate::args::Image;
use crate::cli::{Done, Out};
use crate::engine::docker::DockerEngine;
use crate::engine::{Engine, Known};
use crate::plan::Action;
use crate::plan::wanted::BuildRequest;

pub fn run(args: Image, out: &Out) -> Done {
    let out = &out.clone().acts();
    start(async {
        let engine = DockerEngine::connect(&std::env::vars().collect()).await?;
        let request = BuildRequest::of_hearth("hearth", &args.name, env!("CARGO_PKG_VERSION"));
        let action = Action::BuildImage { request: Box::new(request) };
        engine.perform(&action, &Known::default(), &|_| {}).await?;
        out.line(format!("made the image {} of this program", args.name));
        Ok(())
    })
}
