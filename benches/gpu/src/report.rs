//! Figures: kept one a line as section, name, value, and put side by side.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Figures of a run, in the order they were made.
pub struct Rows {
    file: PathBuf,
    section: String,
    rows: Vec<[String; 3]>,
}

impl Rows {
    /// None yet.
    pub fn new(file: &Path) -> Rows {
        Rows {
            file: file.into(),
            section: String::new(),
            rows: Vec::new(),
        }
    }

    /// What the next figures are about. Those before are kept, should the run be broken off.
    pub fn section(&mut self, title: &str) {
        if let Err(error) = self.save() {
            eprintln!("{}: {error}", self.file.display());
        }
        self.section = title.into();
        println!("\n{title}");
    }

    /// Notes a figure, and prints it.
    pub fn add(&mut self, name: &str, value: &str) {
        println!("  {name}: {value}");
        // A driver's words must not break the lines.
        let clean = |text: &str| text.replace(['\t', '\n', '|'], " ");
        let row = [self.section.as_str(), name, value].map(clean);
        self.rows.push(row);
    }

    /// Writes them.
    pub fn save(&self) -> std::io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let lines: String = self.rows.iter().map(|row| row.join("\t") + "\n").collect();
        fs::write(&self.file, lines)
    }
}

fn read(file: &str) -> Result<Option<Vec<[String; 3]>>, Box<dyn Error>> {
    if !Path::new(file).exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(file)?;
    let row = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(String::from);
        let row = [parts.next(), parts.next(), parts.next()];
        let [Some(section), Some(name), Some(value)] = row else {
            return Err(format!("{file}: a line without three parts: {line}"));
        };
        Ok([section, name, value])
    };
    Ok(Some(text.lines().map(row).collect::<Result<_, _>>()?))
}

/// The runs side by side, in Markdown.
pub fn table(runs: &[String]) -> Result<String, Box<dyn Error>> {
    let mut columns = Vec::new();
    for run in runs {
        let (name, file) = run.split_once('=').ok_or("a run is NAME=FILE")?;
        columns.push((name, read(file)?));
    }
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for [section, name, _] in columns.iter().flat_map(|(_, rows)| rows.iter().flatten()) {
        if !keys.contains(&(section, name)) {
            keys.push((section, name));
        }
    }
    let mut sections: Vec<&str> = Vec::new();
    for (section, _) in &keys {
        if !sections.contains(section) {
            sections.push(section);
        }
    }
    let mut out = String::new();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    for section in sections {
        let _ = writeln!(out, "| {section} | {} |", names.join(" | "));
        let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
        for (_, name) in keys.iter().filter(|(of, _)| *of == section) {
            let value = |rows: &Option<Vec<[String; 3]>>| {
                let rows = rows.as_ref()?;
                let row = rows.iter().find(|[s, n, _]| s == section && n == name);
                row.map(|[_, _, value]| value.clone())
            };
            let values: Vec<_> = columns
                .iter()
                .map(|(_, rows)| value(rows).unwrap_or_else(|| "not run".into()))
                .collect();
            let _ = writeln!(out, "| {name} | {} |", values.join(" | "));
        }
        out.push('\n');
    }
    Ok(out)
}
