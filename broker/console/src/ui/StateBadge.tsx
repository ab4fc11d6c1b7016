// StateBadge.tsx - an inquiry's state, and its outcome where it has one.
import { text, word } from "../text";
import { Badge, type Tone } from "./Badge";

const states: Record<string, Tone> = {
    waiting: "calm",
    delayed: "warn",
    leased: "busy",
    parked: "bad",
    answered: "good",
    expired: "bad",
    cancelled: "calm",
};

export const StateBadge = ({ state }: { state: string }) => (
    <Badge tone={states[state] ?? "calm"}>{word(text().states, state)}</Badge>
);

const outcomes: Record<string, Tone> = {
    positive: "good",
    negative: "bad",
    conditional: "warn",
    "no-record": "calm",
    "not-digitised": "calm",
    "need-document": "warn",
    "need-visit": "warn",
    "not-mine": "calm",
};

export const OutcomeBadge = ({ outcome }: { outcome: string | null | undefined }) =>
    outcome && outcome !== "none" ? (
        <Badge tone={outcomes[outcome] ?? "calm"}>{word(text().outcomes, outcome)}</Badge>
    ) : (
        <span class="none">{text().units.none}</span>
    );
