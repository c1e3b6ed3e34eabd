mod opening;
mod statements;
mod world;
