// Code.tsx - a stable code of the protocol, its meaning on hover; and any other word that stays Latin.
import { text, word } from "../text";
import { marked } from "./Foreign";

export function Code({ code }: { code: string | null | undefined }) {
    if (!code || code === "OK") return <span class="none">{text().units.none}</span>;
    return (
        <code class="code" dir="ltr" title={word(text().codes, code)}>
            {code}
        </code>
    );
}

/* A name of the wire (account, type, address): left to right inside a right-to-left line. */
export const Name = ({ children }: { children: string | number | null | undefined }) => <bdi class="name" dir="ltr">{marked(String(children ?? ""))}</bdi>;
