//! The instrument in the app: keys come to the output at their places, and nothing there allocates.

use std::time::{Duration, Instant};

use nice_assert_no_alloc::assert_no_alloc;
use nice_plug::prelude::Param as _;
use statewave_plugin::app::band::{Band, Seat};
use statewave_plugin::instrument::hands::{Direct, Hands as _};

const RATE: u32 = 48_000;
const BLOCK: usize = 24_000;

fn played(seat: &mut Seat, now: Instant) -> Vec<f32> {
    let (mut left, mut right) = (vec![9.0; BLOCK], vec![9.0; BLOCK]);
    assert_no_alloc(|| seat.play(now, &mut left, &mut right));
    left
}

#[test]
fn a_key_is_heard_a_block_later_at_its_place() {
    let band = Band::default();
    band.choose("trumpet").expect("it is one of them");
    // A panel that looks costs the callback nothing of the heap.
    band.shown.watch(true);
    let mut seat = band.seat(RATE).expect("an instrument is shipped");
    let begin = Instant::now();
    let silence = played(&mut seat, begin);
    assert!(silence.iter().all(|x| *x == 0.0), "sound without a key");
    let before = begin.elapsed();
    band.hear(&[0x90, 62, 100]);
    let after = begin.elapsed();
    // The block before, as it were, lasted so long that the key came within it.
    let lasted = after * 2 + Duration::from_millis(1);
    let sound = played(&mut seat, begin + lasted);
    let place = |at: Duration| (at.as_secs_f64() / lasted.as_secs_f64() * BLOCK as f64) as usize;
    let first = sound.iter().position(|x| *x != 0.0).expect("it sounds");
    assert!(
        (place(before)..=place(after) + 1).contains(&first),
        "at {first}, not from {} to {}",
        place(before),
        place(after)
    );
    band.hear(&[0x80, 62, 0]);
    band.hear(&[0xb0, 120, 0]);
    // In one of these blocks, and its last samples in the next.
    played(&mut seat, begin + 2 * lasted);
    played(&mut seat, begin + 3 * lasted);
    let silence = played(&mut seat, begin + 4 * lasted);
    assert!(silence.iter().all(|x| *x == 0.0), "it sounds on");
}

#[test]
fn an_output_that_is_opened_anew_is_the_one_that_is_played() {
    let band = Band::default();
    let mut first = band.seat(RATE).expect("an instrument is shipped");
    let mut second = band.seat(44_100).expect("an instrument is shipped");
    band.hear(&[0x90, 62, 100]);
    let later = Instant::now() + Duration::from_secs(1);
    assert!(played(&mut first, later).iter().all(|x| *x == 0.0));
    assert!(played(&mut second, later).iter().any(|x| *x != 0.0));
}

#[test]
fn values_come_back_as_they_were_left() {
    let band = Band::default();
    band.choose("flute").expect("it is one of them");
    let mut values = band.values();
    values.insert("brightness".into(), 0.75);
    let other = Band::default();
    other.restore(&values);
    assert_eq!(other.params.controls().a, band.params.controls().a);
    assert_eq!(other.values(), values);
    let fault = band.choose("kazoo").expect_err("there is none");
    assert!(fault.remedy.contains("flute"), "{}", fault.remedy);
}

#[test]
fn what_a_note_remembers_is_kept_and_put_back_and_an_output_that_is_opened_anew_has_it_too() {
    let band = Band::default();
    band.choose("clarinet").expect("it is one of them");
    let mut seat = band.seat(RATE).expect("an instrument is shipped");
    let bank = band.params.slots.bank().expect("it has slots");
    band.hear(&[0x90, 62, 100]);
    let later = Instant::now() + Duration::from_secs(1);
    played(&mut seat, later);
    bank.want(1);
    played(&mut seat, later + Duration::from_secs(1));
    assert_eq!(bank.filled(), [false, true, false, false]);
    let first_of = |band: &Band, seat: &mut Seat| {
        let begin = Instant::now();
        band.hear(&[0x90, 62, 100]);
        let sound = played(seat, begin + Duration::from_secs(1));
        let first = sound.iter().position(|x| *x != 0.0).expect("it sounds");
        sound[first..first + 960]
            .iter()
            .fold(0.0f32, |peak, x| peak.max(x.abs()))
    };
    let mut other = band.seat(44_100).expect("an instrument is shipped");
    assert_eq!(
        band.params.slots.bank().map(|bank| bank.filled()),
        Some(bank.filled())
    );
    let usual = first_of(&band, &mut other);
    let mut other = band.seat(44_100).expect("an instrument is shipped");
    for (param, value) in [
        (band.params.state.recall.as_ptr(), 1.0),
        (band.params.state.morph.as_ptr(), 1.0),
    ] {
        // SAFETY: the parameters are the band's.
        unsafe { Direct.set(param, value) };
    }
    // It begins from its sustain, where it would swell.
    let recalled = first_of(&band, &mut other);
    assert!(recalled > 4.0 * usual, "{recalled} where {usual} is usual");
    // What is played with is not remembered.
    assert!(!band.values().contains_key("recall") && band.values().contains_key("memory"));
}
