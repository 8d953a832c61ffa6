//! The hand-off's queue and its shared value in every order that two threads can run them, by loom.

use loom::thread;

mod sync {
    pub use loom::cell::UnsafeCell;
    pub use loom::sync::Arc;
    pub use loom::sync::atomic::{AtomicUsize, Ordering};
}

#[path = "../src/handoff/exclusive.rs"]
mod exclusive;
#[path = "../src/handoff/ring.rs"]
mod ring;

#[test]
fn values_come_out_once_and_in_order_whatever_the_threads_do() {
    for capacity in [1, 2] {
        loom::model(move || {
            let (mut sender, mut receiver) = ring::ring(capacity);
            let sending = thread::spawn(move || {
                let mut refused = 0;
                for value in [10, 11, 12] {
                    if sender.send(Box::new(value)).is_err() {
                        refused += 1;
                    }
                }
                refused
            });
            let mut came = Vec::new();
            for _ in 0..2 {
                came.extend(receiver.take());
            }
            let refused = sending.join().unwrap();
            while let Some(value) = receiver.take() {
                came.push(value);
            }
            let came: Vec<i32> = came.into_iter().map(|value| *value).collect();
            assert_eq!(came.len() + refused, 3, "{came:?}");
            assert!(came.is_sorted(), "{came:?}");
            assert_eq!(came.first(), Some(&10));
        });
    }
}

#[test]
fn what_nobody_takes_is_freed_once() {
    loom::model(|| {
        let (mut sender, receiver) = ring::ring(2);
        let sending = thread::spawn(move || {
            let _ = sender.send(loom::sync::Arc::new(1));
        });
        drop(receiver);
        sending.join().unwrap();
    });
}

#[test]
fn a_value_goes_round_and_round() {
    loom::model(|| {
        let (mut there, mut arrived) = ring::ring(1);
        let (mut back, mut returned) = ring::ring(1);
        there.send(Box::new(0)).unwrap();
        let other = thread::spawn(move || {
            for _ in 0..2 {
                if let Some(mut value) = arrived.take() {
                    *value += 1;
                    back.send(value).expect("one value, one place");
                }
            }
        });
        let mut seen = None;
        for _ in 0..2 {
            seen = seen.or_else(|| returned.take());
        }
        other.join().unwrap();
        let value = seen.or_else(|| returned.take()).map(|value| *value);
        assert_eq!(value, Some(1));
    });
}

#[test]
fn a_shared_value_is_one_threads_at_a_time_and_loses_nothing() {
    loom::model(|| {
        let shared = loom::sync::Arc::new(exclusive::Exclusive::new(0));
        let other = {
            let shared = loom::sync::Arc::clone(&shared);
            thread::spawn(move || shared.try_with(|value| *value += 1).is_some())
        };
        let here = shared.try_with(|value| *value += 1).is_some();
        let there = other.join().unwrap();
        let sum = shared.try_with(|value| *value).expect("nobody has it now");
        assert_eq!(sum, i32::from(here) + i32::from(there));
        assert!(here || there, "one of both must have had it");
    });
}
