//! Promise: what a bank keeps is what was there, goes into bytes and back, and only to where it belongs; what is put back is
//! reached without a leap, and nobody waits for a slot in use.

mod kernel_common;
mod state_common;

use std::sync::Arc;

use kernel_common::Noise;
use state_common::{Kind, Played, USUAL};
use statewave::engine::Engine;
use statewave::engine::cpu::CpuEngine;
use statewave::state::{Bank, Hand, Memory, SLOTS, StateControls, StateError};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

#[test]
fn a_bank_goes_into_bytes_and_back_and_only_to_where_it_belongs() {
    let mut played = Played::new(Kind::Denoise, 48_000);
    played.set(&USUAL);
    assert!(played.bank().to_bytes().is_empty(), "nothing is kept yet");
    played.process(&mut Noise(14).vec(9_600, 0.3));
    played.set(&StateControls {
        store: Some(2),
        ..USUAL
    });
    played.process(&mut Noise(15).vec(960, 0.3));
    let bank = played.bank();
    let bytes = bank.to_bytes();
    let other = Bank::new(bank.key().clone());
    assert!(other.fill(0, &vec![1.0; bank.key().len]));
    other.read(&bytes).unwrap();
    assert_eq!(other.filled(), [false, false, true, false]);
    assert_eq!(other.state(2), bank.state(2));
    let changes = other.changes();
    let refused = |change: &dyn Fn(&mut statewave::state::BankKey)| {
        let mut key = bank.key().clone();
        change(&mut key);
        let error = Bank::new(key).read(&bytes).unwrap_err();
        assert!(!error.remedy().is_empty());
        error
    };
    assert!(matches!(
        refused(&|key| key.model = "0".repeat(64)),
        StateError::Model { .. }
    ));
    assert!(matches!(
        refused(&|key| key.sample_rate = 96_000),
        StateError::Rate {
            found: 48_000,
            own: 96_000
        }
    ));
    assert!(matches!(
        refused(&|key| key.streams = 2),
        StateError::Streams { found: 1, own: 2 }
    ));
    assert!(matches!(
        refused(&|key| key.len -= 1),
        StateError::Damaged(_)
    ));
    let mut late = bytes.clone();
    late[7] = 9;
    assert_eq!(other.read(&late), Err(StateError::Version(9)));
    let mut broken = bytes;
    let last = broken.len() - 4;
    broken[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(other.read(&broken), Err(StateError::Damaged(_))));
    assert_eq!(other.changes(), changes, "what is refused changes nothing");
}

#[test]
fn a_bank_of_another_model_is_not_adopted() {
    let model = state_common::denoiser();
    let mut engine = CpuEngine::new(&model, 2);
    let foreign = Played::new(Kind::Drive, 48_000).bank();
    let memory = engine.memory().unwrap();
    let own = Arc::as_ptr(memory.bank());
    let back = memory.adopt(Arc::clone(&foreign));
    assert!(Arc::ptr_eq(&back, &foreign) && Arc::as_ptr(memory.bank()) == own);
}

#[test]
fn a_store_that_finds_its_slot_in_use_comes_later_and_broken_states_are_not_kept() {
    let mut memory = state_common::Plain::new(4);
    let bank = Arc::clone(memory.bank());
    let mut hand = Hand::default();
    hand.set(&USUAL);
    memory.values.fill(3.0);
    hand.set(&StateControls {
        store: Some(0),
        ..USUAL
    });
    hand.step(&mut memory, 0.01);
    assert_eq!(bank.state(0), Some(vec![3.0; 4]));
    memory.values[2] = f32::NAN;
    hand.set(&USUAL);
    hand.set(&StateControls {
        store: Some(0),
        ..USUAL
    });
    hand.step(&mut memory, 0.01);
    assert_eq!(bank.state(0), None);
    memory.values.fill(5.0);
    bank.want(3);
    bank.want(1);
    hand.step(&mut memory, 0.01);
    hand.step(&mut memory, 0.01);
    assert_eq!(
        bank.filled(),
        [false, true, false, true],
        "a panel's wishes"
    );
    // While another thread reads the slots, nothing waits, and in the end all is done.
    memory.values.fill(1.0);
    let reading = {
        let bank = Arc::clone(&bank);
        std::thread::spawn(move || (0..2_000).for_each(|_| drop(bank.to_bytes())))
    };
    for i in 0..2_000 {
        hand.set(&USUAL);
        hand.set(&StateControls {
            store: Some(i % SLOTS),
            ..USUAL
        });
        hand.step(&mut memory, 0.01);
    }
    reading.join().unwrap();
    hand.step(&mut memory, 0.01);
    assert_eq!(bank.filled(), [true; SLOTS]);
}

#[test]
fn the_position_glides_and_the_pace_glides_and_both_arrive() {
    let mut memory = state_common::Plain::new(1);
    let bank = Arc::clone(memory.bank());
    assert!(bank.fill(0, &[0.0]) && bank.fill(1, &[1.0]));
    let mut hand = Hand::default();
    let at = |morph| StateControls {
        recall: true,
        morph,
        ..USUAL
    };
    hand.set(&at(0.0));
    hand.step(&mut memory, 0.01);
    hand.set(&StateControls {
        freeze: 1.0,
        ..at(1.0)
    });
    let mut last = (0.0, 1.0);
    for _ in 0..10 {
        hand.step(&mut memory, 0.01);
        let now = (memory.values[0], hand.pace());
        assert!(
            now.0 - last.0 <= 0.101 && last.1 - now.1 <= 0.501,
            "{last:?} to {now:?}"
        );
        last = now;
    }
    hand.step(&mut memory, 0.01);
    assert_eq!(
        (memory.values[0], hand.pace(), memory.pace),
        (1.0, 0.0, 0.0)
    );
    // At rest it is left alone.
    memory.values[0] = 9.0;
    hand.step(&mut memory, 0.01);
    assert_eq!(memory.values[0], 9.0);
}
