mod cancelled;
mod facts;
mod opening;
mod statements;
mod world;
