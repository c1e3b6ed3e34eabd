//! English times: clock, span, day, daypart, zone, and which of several is the run's.

use super::check;

const NY: &str = "America/New_York";
const LA: &str = "America/Los_Angeles";
const UK: &str = "Europe/London";

#[test]
fn clock_times() {
    check(&[
        ("en-US", NY, "ran Veo 3.1 yesterday at 2:05pm", "clock 06-09 14:05"),
        ("en-US", NY, "yesterday 2:05 PM, nothing came", "clock 06-09 14:05"),
        ("en-US", NY, "at 3 in the morning I started it", "clock 06-10 03:00"),
        ("en-US", NY, "10:10pm last night, still nothing", "clock 06-09 22:10"),
        ("en-US", NY, "last night around 1am I ran it", "clock 06-10 01:00"),
        ("en-US", NY, "started it at 11 last night", "clock 06-09 23:00"),
        ("en-US", NY, "Ran it on Monday at 5 p.m. and got nothing", "clock 06-08 17:00"),
        ("en-US", NY, "Monday, June 8, around 5:15 pm", "clock 06-08 17:15"),
        ("en-US", NY, "June 8th at 17:15", "clock 06-08 17:15"),
        ("en-US", NY, "on 6/8 at 9am", "clock 06-08 09:00"),
        ("en-US", NY, "6/8/2026 9:30 AM", "clock 06-08 09:30"),
        ("en-US", NY, "6/8/26, 9:30 AM", "clock 06-08 09:30"),
        ("en-GB", UK, "on 8/6 at 9am", "clock 06-08 09:00"),
        ("en-GB", UK, "on 08/06/2026 at 09:30", "clock 06-08 09:30"),
        ("en-GB", UK, "half eight yesterday morning", "clock 06-09 08:30"),
        ("en-GB", UK, "yesterday evening at half eight", "clock 06-09 20:30"),
        ("en-GB", UK, "Tuesday at quarter past nine in the morning", "clock 06-09 09:15"),
        ("en-GB", UK, "Tuesday at a quarter to nine in the evening", "clock 06-09 20:45"),
        ("en-GB", UK, "at twenty past four on Monday afternoon", "clock 06-08 16:20"),
        ("en-GB", UK, "ten to six yesterday evening", "clock 06-09 17:50"),
        ("en-GB", UK, "just after 10 this morning", "clock 06-10 10:00"),
        ("en-GB", UK, "shortly before noon on Sunday", "clock 06-07 12:00"),
        ("en-GB", UK, "nine o'clock yesterday morning", "clock 06-09 09:00"),
        ("en-GB", UK, "8 June, 14.30, no clip", "clock 06-08 14:30"),
        ("en-GB", UK, "the run at 14.30 on 8 June", "clock 06-08 14:30"),
        ("en-US", NY, "2026-06-08T21:00:00Z run failed", "clock 06-08 21:00 @UTC"),
        ("en-US", NY, "2026-06-08 21:00 UTC", "clock 06-08 21:00 @UTC"),
        ("en-US", NY, "2026-06-08T21:00:00+02:00", "clock 06-08 19:00 @UTC"),
        ("en-US", NY, "at 1530 yesterday", "clock 06-09 15:30"),
        ("en-US", NY, "I ran it about 5 hours ago", "clock 06-10 08:00 @UTC"),
        ("en-US", NY, "started half an hour ago", "clock 06-10 12:30 @UTC"),
        ("en-US", NY, "today at 3 it ate my credits", "clock 06-10 03:00"),
        ("en-US", NY, "yesterday at 3 it ate my credits", "clock 06-09 15:00"),
        ("en-US", NY, "around midnight last night", "clock 06-10 00:00"),
        ("en-US", NY, "Run time: 14:05\nDate: June 8", "clock 06-08 14:05"),
        ("en-US", NY, "8 seconds of video at 1080p, 24 fps, started 7:03 this morning", "clock 06-10 07:03"),
        ("en-US", NY, "Sat 6 Jun 18:20, Kling 3", "clock 06-06 18:20"),
        ("en-US", NY, "Friday the 5th at 4:20pm", "clock 06-05 16:20"),
        ("en-US", NY, "on the 5th around 4:20pm", "clock 06-05 16:20"),
        ("en-US", NY, "on December 30 at 8pm", "clock 2025-12-30 20:00"),
        ("en-US", NY, "day before yesterday 10am", "clock 06-08 10:00"),
        ("en-US", NY, "Wednesday at 10am", "clock 06-03 10:00"),
        ("en-US", NY, "last Wednesday at 8am", "clock 06-03 08:00"),
    ]);
}

#[test]
fn spans_days_and_dayparts() {
    check(&[
        ("en-US", NY, "yesterday between 3 and 4 pm", "win 06-09 14:30..06-09 16:30"),
        ("en-US", NY, "yesterday between 3pm and 4:30pm", "win 06-09 14:30..06-09 17:00"),
        ("en-US", NY, "Monday 14:00-15:00", "win 06-08 13:30..06-08 15:30"),
        ("en-US", NY, "Monday, 11am-1pm", "win 06-08 10:30..06-08 13:30"),
        ("en-US", NY, "Monday 3-4pm", "win 06-08 14:30..06-08 16:30"),
        ("en-US", NY, "between three and four in the afternoon yesterday", "win 06-09 14:30..06-09 16:30"),
        ("en-US", NY, "from 11pm to 1am last night", "win 06-09 22:30..06-10 01:30"),
        ("en-US", NY, "one of my videos from yesterday morning", "win 06-09 05:00..06-09 12:00"),
        ("en-US", NY, "yesterday afternoon, no clip", "win 06-09 12:00..06-09 18:00"),
        ("en-US", NY, "Monday evening", "win 06-08 18:00..06-09 00:00"),
        ("en-US", NY, "last night, nothing", "win 06-09 20:00..06-10 06:00"),
        ("en-US", NY, "Yesterday I ran a Hailuo video in the morning", "win 06-09 05:00..06-09 12:00"),
        ("en-US", NY, "it happened on June 5", "win 06-05 00:00..06-06 00:00"),
        ("en-US", NY, "I ran it on Sunday", "win 06-07 00:00..06-08 00:00"),
        ("en-US", NY, "I generated it two days ago", "win 06-08 00:00..06-09 00:00"),
        ("en-US", NY, "my hailuo video never came", "win -"),
        ("en-US", NY, "Good morning, my hailuo video never came", "win -"),
        ("en-US", NY, "it is stuck for 5 hours, 3 of 4 clips, 16:9", "win -"),
        ("en-US", NY, "We need this for a client on Monday", "win -"),
        (
            "en-US",
            NY,
            "My plan renewed on Sunday. The Kling run from Tuesday evening is missing",
            "win 06-09 18:00..06-10 00:00",
        ),
    ]);
}

#[test]
fn zones() {
    check(&[
        ("en-US", LA, "yesterday at 9:30am EDT", "clock 06-09 09:30 @America/New_York"),
        ("en-US", LA, "yesterday at 9:30am EST", "clock 06-09 09:30 @America/New_York"),
        ("en-US", NY, "yesterday, 9:30 PST", "clock 06-09 09:30 @America/Los_Angeles"),
        ("en-US", NY, "2:30pm CT on Monday", "clock 06-08 14:30 @America/Chicago"),
        ("en-US", NY, "2:30pm Pacific on Monday", "clock 06-08 14:30 @America/Los_Angeles"),
        ("en-IN", "Asia/Kolkata", "on 8th June, around 4 PM IST", "clock 06-08 16:00"),
        ("en-GB", "Asia/Jerusalem", "on 8th June, around 4 PM IST", "clock 06-08 16:00"),
        ("en-GB", "Europe/Dublin", "on 8th June, around 4 PM IST", "clock 06-08 16:00"),
        ("en-US", NY, "Monday at 17:48 Madrid time", "clock 06-08 17:48 @Europe/Madrid"),
        ("en-US", NY, "Monday at 16:41 (Warsaw)", "clock 06-08 16:41 @Europe/Warsaw"),
        ("en-US", NY, "today 10:47 Zurich, project x", "clock 06-10 10:47 @Europe/Zurich"),
        ("en-US", NY, "9pm on Monday my time (São Paulo)", "clock 06-08 21:00 @America/Sao_Paulo"),
        ("en-US", NY, "Monday 9pm UTC+2", "clock 06-08 19:00 @UTC"),
        ("en-US", NY, "Monday 9pm GMT-3", "clock 06-09 00:00 @UTC"),
        (
            "en-AU",
            "Australia/Sydney",
            "7:20pm last night Sydney time. It's now 9:12pm the next day",
            "clock 06-09 19:20",
        ),
        ("en-US", NY, "a video of Paris, yesterday 2pm", "clock 06-09 14:00"),
        ("en-US", NY, "I'm in Tokyo. Ran it Monday at 9:00", "clock 06-08 09:00 @Asia/Tokyo"),
        ("en-US", "", "yesterday at 14:05", "win 06-08 22:05..06-10 06:05"),
        ("en-US", "", "yesterday at 14:05 UTC", "clock 06-09 14:05 @UTC"),
        ("en-US", "", "yesterday", "win 06-08 10:00..06-10 14:00"),
        ("en-US", "Nowhere/Atall", "yesterday at 14:05", "win 06-08 22:05..06-10 06:05"),
    ]);
}

#[test]
fn the_time_of_the_run_is_taken() {
    check(&[
        ("en-US", NY, "I left the workspace on Tuesday but on Monday at 12:20pm ET I ran a video", "clock 06-08 12:20"),
        ("en-US", NY, "It's now 8:50am. I started it yesterday at 8:10pm.", "clock 06-09 20:10"),
        (
            "en-US",
            NY,
            "My plan ended yesterday. The last thing I ran was on June 5 at 20:15 UTC",
            "clock 06-05 20:15 @UTC",
        ),
        ("en-US", NY, "Started at 7:03 this morning, failed at 7:20.", "clock 06-10 07:03"),
        (
            "en-US",
            NY,
            "I wrote to you on Monday at 10:00 already. The run was on Sunday at 18:00.",
            "clock 06-07 18:00",
        ),
        ("en-US", NY, "On Monday I opened the project. The node failed at 16:41.", "clock 06-08 16:41"),
        ("en-US", NY, "Kling run June 8, 5pm. Credits reset since (June 9).", "clock 06-08 17:00"),
        ("en-US", NY, "I cancelled the run yesterday at about 1pm after three minutes", "clock 06-09 13:00"),
        ("en-US", NY, "see pics###row \"Seedance 2.0\", -130, \"Jun 7, 9:20 PM\"", "clock 06-07 21:20"),
        ("en-US", NY, "Sunday around 9:15pm###row -130, Jun 7, 9:20 PM", "clock 06-07 21:15"),
        ("en-US", NY, "a run on Sunday###row -130, Jun 7, 9:20 PM", "clock 06-07 21:20"),
        ("en-US", NY, "a run on Sunday###row -130, Jun 9, 9:20 PM", "win 06-07 00:00..06-08 00:00"),
        ("en-US", NY, "Veo run of June 8 lost##It went wrong at 14:05.", "clock 06-08 14:05"),
    ]);
}
