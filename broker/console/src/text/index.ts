// index.ts - the reader's language: `text()` gives its sentences, `fill` puts values in their places.
import { prefs } from "../prefs";
import { en } from "./en";
import { fa, type Text } from "./fa";

const texts: Record<string, Text> = { fa, en };

export const text = (): Text => texts[prefs.get().language] ?? fa;

export function fill(sentence: string, values: Record<string, string | number>): string {
    return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/* A word of the protocol in the reader's language; a word that is not known yet is shown as it is. */
export function word(of: Record<string, string>, name: string | null | undefined): string {
    return name ? (of[name] ?? name) : "";
}

export const isPersian = (): boolean => prefs.get().language === "fa";
