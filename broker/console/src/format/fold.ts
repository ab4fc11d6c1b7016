// fold.ts - the same word however it was typed: one form of each letter, Latin digits, nothing unseen. For what the
// page filters by itself. The list is the broker's (PROTOCOL.md, section 15; index/filter_fold.c), and both are held
// to tests/unit/index/folds.tsv. Letters that Unicode also writes as another and a mark become that other one.

const letters: Record<string, string> = {
    آ: "ا", أ: "ا", إ: "ا", ؤ: "و", ك: "ک", "،": ",", "\u00a0": " ",
    ئ: "ی", ى: "ی", ي: "ی", "\u06d2": "ی", "\u06d3": "ی",
    ة: "ه", "\u06c0": "ه", "\u06c1": "ه", "\u06c2": "ه", "\u06d5": "ه",
};
const listed = new RegExp(`[${Object.keys(letters).join("")}]`, "g");
/* Marks over and under letters; kashida, joiners and marks of direction. */
const unseen =
    /[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0640\u061c\u200c-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

export function latinDigits(text: string): string {
    return text.replace(/[۰-۹٠-٩]/g, (d) => String(d.charCodeAt(0) & 0xf));
}

export function fold(text: string): string {
    return latinDigits(text)
        .replace(unseen, "")
        .replace(listed, (c) => letters[c] ?? c);
}

/* For a name typed into a box: blanks and large letters say nothing either, since a joiner is often typed as a blank. */
export function foldName(text: string): string {
    return fold(text).replace(/\s+/g, "").toLowerCase();
}
