mod cancelled;
mod cases;
mod facts;
mod journal;
mod opening;
mod remedies;
mod statements;
mod world;
