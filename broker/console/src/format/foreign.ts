// foreign.ts - text that somebody outside wrote, which may hold marks of direction: they turn round what is
// read after them, so that a case or a reason reads as another. Here they are made visible.

const marks = /([\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])/g;

const hex = (mark: string): string => mark.charCodeAt(0).toString(16).padStart(4, "0");
const nameOf = (mark: string): string => "U+" + hex(mark).toUpperCase();

/* For where text alone can stand, as on hover. */
export function marksNamed(text: string): string {
    return text.replace(marks, nameOf);
}

/* The same value, as JSON in which every mark is escaped: they occur in strings alone. */
export function marksEscaped(json: string): string {
    return json.replace(marks, (mark) => "\\u" + hex(mark));
}

/* What lies between the marks, and their names: text, name, text, name, …, text. */
export function parted(text: string): string[] {
    return text.split(marks).map((part, i) => (i % 2 ? nameOf(part) : part));
}
