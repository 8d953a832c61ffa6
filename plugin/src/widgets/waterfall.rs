//! A picture that scrolls: one column a moment, the newest at the right. Only new columns go to the graphics memory.

use egui::{
    Color32, ColorImage, Context, Mesh, Rect, Shape, TextureHandle, TextureOptions, Ui, pos2,
};

/// A cell: two levels, 0 to 255. What they mean is the palette's affair.
pub type Cell = [u8; 2];

/// Columns kept; the texture wraps around, so nothing is ever moved.
pub struct Waterfall {
    rows: usize,
    columns: usize,
    /// Column by column, the top row first.
    cells: Vec<Cell>,
    /// Where the next column goes.
    next: usize,
    /// Columns written since the last upload.
    fresh: usize,
    palette: Vec<Color32>,
    texture: Option<TextureHandle>,
    name: &'static str,
}

impl Waterfall {
    /// An empty picture. `palette` is as for [`Self::set_palette`].
    pub fn new(name: &'static str, rows: usize, columns: usize, palette: Vec<Color32>) -> Self {
        Self {
            rows,
            columns,
            cells: vec![[0; 2]; rows * columns],
            next: 0,
            fresh: 0,
            palette,
            texture: None,
            name,
        }
    }

    /// Other colours for the same cells: 256 × 256 of them, the second level counting fastest.
    pub fn set_palette(&mut self, palette: Vec<Color32>) {
        self.palette = palette;
        self.texture = None;
    }

    /// Adds a column; `cell(row)` with 0 at the top.
    pub fn push(&mut self, cell: impl Fn(usize) -> Cell) {
        let at = self.next * self.rows;
        for (row, to) in self.cells[at..at + self.rows].iter_mut().enumerate() {
            *to = cell(row);
        }
        self.next = (self.next + 1) % self.columns;
        self.fresh = (self.fresh + 1).min(self.columns);
    }

    /// Draws the rows `rows` in `rect`, the newest column at the right edge.
    pub fn show(&mut self, ui: &Ui, rect: Rect, rows: std::ops::Range<usize>) {
        self.upload(ui.ctx());
        let Some(texture) = &self.texture else { return };
        // Half a texel inwards, so that filtering does not reach over the seam or into other rows.
        let (w, h) = (self.columns as f32, self.rows as f32);
        let (top, bottom) = ((rows.start as f32 + 0.5) / h, (rows.end as f32 - 0.5) / h);
        let seam = rect.left() + rect.width() * (w - self.next as f32) / w;
        let part = |mesh: &mut Mesh, left: f32, right: f32, from: usize, to: usize| {
            if from < to {
                let place = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
                let uv = Rect::from_min_max(
                    pos2((from as f32 + 0.5) / w, top),
                    pos2((to as f32 - 0.5) / w, bottom),
                );
                mesh.add_rect_with_uv(place, uv, Color32::WHITE);
            }
        };
        let mut mesh = Mesh::with_texture(texture.id());
        part(&mut mesh, rect.left(), seam, self.next, self.columns);
        part(&mut mesh, seam, rect.right(), 0, self.next);
        ui.painter_at(rect).add(Shape::mesh(mesh));
    }

    fn upload(&mut self, ctx: &Context) {
        if self.texture.is_none() {
            let image = self.image(0, self.columns);
            self.texture = Some(ctx.load_texture(self.name, image, TextureOptions::LINEAR));
            self.fresh = 0;
        }
        let mut from = (self.next + self.columns - self.fresh) % self.columns;
        while self.fresh > 0 {
            let count = self.fresh.min(self.columns - from);
            let image = self.image(from, count);
            if let Some(texture) = &mut self.texture {
                texture.set_partial([from, 0], image, TextureOptions::LINEAR);
            }
            self.fresh -= count;
            from = (from + count) % self.columns;
        }
    }

    fn image(&self, from: usize, count: usize) -> ColorImage {
        let mut pixels = Vec::with_capacity(count * self.rows);
        for row in 0..self.rows {
            for column in from..from + count {
                let [a, b] = self.cells[column * self.rows + row];
                pixels.push(self.palette[usize::from(a) * 256 + usize::from(b)]);
            }
        }
        ColorImage::new([count, self.rows], pixels)
    }
}
