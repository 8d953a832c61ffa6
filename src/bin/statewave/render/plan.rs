//! Which file is read and which is written for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::audio::{Container, is_audio_name};
use crate::failure::{Failure, Result};

/// One file to clean.
#[derive(Debug)]
pub struct Job {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// The picture to write, if one is asked for.
    pub picture: Option<PathBuf>,
}

/// One job a file. Several inputs, or a folder, need a folder to write to.
pub fn plan(inputs: &[PathBuf], output: Option<&Path>, picture: Option<&Path>) -> Result<Vec<Job>> {
    match inputs {
        [input] if !input.is_dir() => {
            let output = match output {
                Some(folder) if names_folder(folder) => folder.join(default_name(input)),
                Some(file) => file.into(),
                None => {
                    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
                    input.with_file_name(format!("{stem}-clean.{}", ending_for(input)))
                }
            };
            Container::of(&output)?;
            Ok(vec![Job {
                input: input.clone(),
                output,
                picture: picture.map(Path::to_path_buf),
            }])
        }
        _ => plan_batch(inputs, output, picture),
    }
}

fn plan_batch(
    inputs: &[PathBuf],
    output: Option<&Path>,
    pictures: Option<&Path>,
) -> Result<Vec<Job>> {
    let help = "give -o the name of a folder; it is made if it is not there";
    let Some(output) = output else {
        return Err(Failure::new(
            "several files are to be cleaned and no output folder is given",
            help,
        ));
    };
    for folder in [Some(output), pictures].into_iter().flatten() {
        if folder.is_file() {
            return Err(Failure::new(
                format!("{} is a file, and a folder is needed", folder.display()),
                help,
            ));
        }
    }
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            // What was cleaned before is not cleaned again when the output lies within the input.
            collect(
                input,
                Path::new(""),
                &fs::canonicalize(output).ok(),
                &mut files,
            )?;
        } else {
            files.push((
                input.clone(),
                PathBuf::from(input.file_name().unwrap_or_default()),
            ));
        }
    }
    let mut wanted = BTreeMap::new();
    for (input, relative) in &files {
        *wanted
            .entry(relative.with_extension(ending_for(input)))
            .or_insert(0) += 1;
    }
    let mut taken = BTreeMap::new();
    let mut jobs = Vec::with_capacity(files.len());
    for (input, relative) in files {
        let mut name = relative.with_extension(ending_for(&input));
        // Of take.wav and take.mp3 the second becomes take.mp3.wav.
        if wanted[&name] > 1 && name != relative {
            name = PathBuf::from(format!("{}.{}", relative.display(), ending_for(&input)));
        }
        let written = output.join(&name);
        if let Some(other) = taken.insert(written.clone(), input.clone()) {
            let (a, b) = (other.display(), input.display());
            let what = format!("{a} and {b} would both be written to {}", written.display());
            return Err(Failure::new(
                what,
                "clean them in two runs with two output folders",
            ));
        }
        let picture = pictures.map(|folder| folder.join(name.with_extension("png")));
        jobs.push(Job {
            input,
            output: written,
            picture,
        });
    }
    Ok(jobs)
}

/// All sound files under a folder, in the order of their names, with their paths relative to it.
fn collect(
    root: &Path,
    relative: &Path,
    skip: &Option<PathBuf>,
    files: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<()> {
    let folder = root.join(relative);
    let io = |e: std::io::Error| Failure::io("read the folder", &folder, &e);
    let mut entries = fs::read_dir(&folder)
        .map_err(io)?
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(io)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), relative.join(entry.file_name()));
        // A link to a folder may lead back up, so links are followed to files alone.
        if entry.file_type().map_err(io)?.is_dir() {
            if fs::canonicalize(&path).ok() != *skip || skip.is_none() {
                collect(root, &name, skip, files)?;
            }
        } else if path.is_file() && is_audio_name(&path) {
            files.push((path, name));
        }
    }
    Ok(())
}

/// Whether `-o` means a folder: it is one, or ends like one.
fn names_folder(path: &Path) -> bool {
    path.is_dir()
        || path
            .to_string_lossy()
            .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// FLAC stays FLAC; all else becomes WAV.
fn ending_for(input: &Path) -> &'static str {
    Container::of(input).unwrap_or(Container::Wav).ending()
}

fn default_name(input: &Path) -> PathBuf {
    PathBuf::from(input.file_name().unwrap_or_default()).with_extension(ending_for(input))
}
