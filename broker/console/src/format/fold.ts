// fold.ts - the same word however it was typed: ي/ی, ك/ک, digits of all scripts, joiners, case.
// For what the page filters by itself; the broker's index folds what it is asked in the same way.

const letters: Record<string, string> = { ي: "ی", ى: "ی", ئ: "ی", ك: "ک", ة: "ه", أ: "ا", إ: "ا", آ: "ا", ؤ: "و" };

export function latinDigits(text: string): string {
    return text.replace(/[۰-۹٠-٩]/g, (d) => String(d.charCodeAt(0) & 0xf));
}

export function fold(text: string): string {
    return latinDigits(text)
        .replace(/[يىئكةأإآؤ]/g, (c) => letters[c] ?? c)
        .replace(/[\u200c\u200d\u0640\u064b-\u0652]/g, "")
        .toLowerCase()
        .trim();
}
