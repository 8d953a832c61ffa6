//! Complex numbers as pairs (re, im), as transforms want them, and as planes, as lanes want them.

use super::lane::Lane;

on_path! {
    /// `pairs`, (re, im) a bin, into its planes.
    ///
    /// # Panics
    /// If a plane is shorter than the pairs.
    pub fn part(pairs: &[f32], re: &mut [f32], im: &mut [f32]) = part_body
}

on_path! {
    /// Planes into `pairs`, (re, im) a bin.
    ///
    /// # Panics
    /// If a plane is shorter than the pairs.
    pub fn join(re: &[f32], im: &[f32], pairs: &mut [f32]) = join_body
}

/// A plain loop: within [`part`] it is compiled, and vectorised, for each path's instructions.
///
/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn part_body<L: Lane>(pairs: &[f32], re: &mut [f32], im: &mut [f32]) {
    let bins = pairs.len() / 2;
    let (re, im) = (&mut re[..bins], &mut im[..bins]);
    for (k, pair) in pairs.chunks_exact(2).enumerate() {
        (re[k], im[k]) = (pair[0], pair[1]);
    }
}

/// As [`part_body`].
///
/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn join_body<L: Lane>(re: &[f32], im: &[f32], pairs: &mut [f32]) {
    let bins = pairs.len() / 2;
    let (re, im) = (&re[..bins], &im[..bins]);
    for (k, pair) in pairs.chunks_exact_mut(2).enumerate() {
        (pair[0], pair[1]) = (re[k], im[k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Path;

    #[test]
    fn pairs_come_back_from_their_planes() {
        let pairs: Vec<f32> = (0..74).map(|k| k as f32).collect();
        for path in Path::available() {
            let (mut re, mut im, mut back) = ([0.0; 37], [0.0; 37], vec![0.0; 74]);
            part(path, &pairs, &mut re, &mut im);
            assert!((0..37).all(|k| re[k] == pairs[2 * k] && im[k] == pairs[2 * k + 1]));
            join(path, &re, &im, &mut back);
            assert_eq!(back, pairs);
        }
    }
}
