//! Which instructions run, found at run time, and memory that suits them.
//!
//! No build flag chooses the instructions: each kernel is compiled for every path of its architecture, and each entry
//! point checks the path it was asked for, so a [`Path`] that is not there is slow, never unsound.

use std::ops::{Deref, DerefMut};

/// A set of vector instructions that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// What the compiler makes of plain loops over eight lanes: NEON on Arm, SSE2 on x86-64.
    Portable,
    /// AVX2 and FMA, eight lanes.
    Avx2,
    /// AVX-512F, sixteen lanes.
    Avx512,
}

impl Path {
    /// All paths, the narrowest first.
    pub const ALL: [Path; 3] = [Path::Portable, Path::Avx2, Path::Avx512];

    /// The widest path that runs here.
    pub fn detect() -> Path {
        if Path::Avx512.runs_here() {
            Path::Avx512
        } else if Path::Avx2.runs_here() {
            Path::Avx2
        } else {
            Path::Portable
        }
    }

    /// Every path that runs here.
    pub fn available() -> Vec<Path> {
        Path::ALL
            .into_iter()
            .filter(|path| path.runs_here())
            .collect()
    }

    /// Whether this machine has the instructions. Cheap: the standard library keeps the answer.
    #[inline]
    pub fn runs_here(self) -> bool {
        match self {
            Path::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            // The eight-lane bodies also serve this path where sixteen lanes do not divide the work.
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => is_x86_feature_detected!("avx512f") && Path::Avx2.runs_here(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// A short name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Path::Portable => "portable",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }
}

/// Makes `fn name(path, args..)`, which runs the generic body `body::<L>(args..)` with the lanes of `path`.
///
/// `by 8` keeps eight lanes on every path, for work that sixteen lanes do not divide; `by 16` keeps sixteen, as a pair of
/// vectors where these have eight; `by 32` keeps thirty-two as two or four, for long chains.
macro_rules! on_path {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident by 8) => {
        on_path!(@make $(#[$doc])* $vis $name, $body, (P8, V8, V8), $($arg: $ty),*);
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident by 16) => {
        on_path!(@make $(#[$doc])* $vis $name, $body, (Pair<P8>, Pair<V8>, V16), $($arg: $ty),*);
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident by 32) => {
        on_path!(@make $(#[$doc])* $vis $name, $body, (Quad<P8>, Quad<V8>, Pair<V16>), $($arg: $ty),*);
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident) => {
        on_path!(@make $(#[$doc])* $vis $name, $body, (P8, V8, V16), $($arg: $ty),*);
    };
    (@make $(#[$doc:meta])* $vis:vis $name:ident, $body:ident, ($portable:ty, $avx2:ty, $avx512:ty),
     $($arg:ident: $ty:ty),*) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(path: crate::kernels::Path, $($arg: $ty),*) {
            #[allow(unused_imports)]
            use crate::kernels::lane::*;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) {
                // SAFETY: this function's features are those of `V8`.
                unsafe { $body::<$avx2>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) {
                // SAFETY: this function's features are those of `V8` and `V16`.
                unsafe { $body::<$avx512>($($arg),*) }
            }
            match path {
                #[cfg(target_arch = "x86_64")]
                crate::kernels::Path::Avx512 if path.runs_here() => {
                    // SAFETY: the guard has found the features.
                    unsafe { avx512($($arg),*) }
                }
                #[cfg(target_arch = "x86_64")]
                crate::kernels::Path::Avx2 if path.runs_here() => {
                    // SAFETY: the guard has found the features.
                    unsafe { avx2($($arg),*) }
                }
                _ => {
                    // SAFETY: portable lanes need no features.
                    unsafe { $body::<$portable>($($arg),*) }
                }
            }
        }
    };
}

/// One cache line of floats: the unit of alignment.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A fixed-length buffer of f32 that starts on a cache line, so that no vector load crosses one.
///
/// ```
/// let mut buffer = statewave::kernels::Aligned::zeros(5);
/// buffer[4] = 1.0;
/// assert_eq!(&buffer[..], [0.0, 0.0, 0.0, 0.0, 1.0]);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// ```
#[derive(Debug, Clone)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Aligned {
        Aligned {
            lines: vec![Line([0.0; 16]); len.div_ceil(16)],
            len,
        }
    }
}

impl From<&[f32]> for Aligned {
    fn from(values: &[f32]) -> Aligned {
        let mut buffer = Aligned::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for Aligned {
    type Target = [f32];
    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: the lines are contiguous, hold at least `len` floats, and `Line` has the layout of `[f32; 16]`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
