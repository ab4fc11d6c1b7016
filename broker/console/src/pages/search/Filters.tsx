// Filters.tsx - the common questions as fields; each is one term of the text above.
import { useId, useState } from "preact/hooks";
import { dayTerm, stretch, termValue, withStretch, withTerm } from "../../format/filter";
import { num } from "../../format/number";
import { catalogue, departmentTitle, typeTitle } from "../../live/catalogue";
import { useStore } from "../../store";
import { fill, text, word } from "../../text";
import { Button } from "../../ui/Button";

interface Choice {
    value: string;
    label: string;
}

function Select({ label, value, choices, onChange }: { label: string; value: string; choices: Choice[]; onChange: (v: string) => void }) {
    const id = useId();
    const known = value === "" || choices.some((c) => c.value === value);
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <select id={id} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
                <option value="">{text().search.any}</option>
                {!known && <option value={value}>{value}</option>}
                {choices.map((c) => <option key={c.value} value={c.value}>{c.label}</option>)}
            </select>
        </div>
    );
}

function DateField({ label, value, onChange }: { label: string; value: string; onChange: (v: string) => void }) {
    const id = useId();
    const [typed, setTyped] = useState<string | null>(null);
    const done = (): void => {
        if (typed !== null && typed !== value) onChange(dayTerm(typed));
        setTyped(null);
    };
    return (
        <div class="field">
            <label for={id}>{label}</label>
            <input
                id={id}
                dir="ltr"
                inputMode="numeric"
                placeholder={text().search.dateHint}
                value={typed ?? value}
                onInput={(e) => setTyped(e.currentTarget.value)}
                onBlur={done}
                onKeyDown={(e) => e.key === "Enter" && (e.preventDefault(), done())}
            />
        </div>
    );
}

export function Filters({ value, onChange }: { value: string; onChange: (q: string) => void }) {
    const t = text();
    const all = useStore(catalogue);
    const [from, to] = stretch(value);
    const of = (field: string) => ({ value: termValue(value, field), onChange: (v: string) => onChange(withTerm(value, field, v)) });
    const states = ["waiting", "delayed", "leased", "parked", "answered", "expired", "cancelled"];
    const outcomes = ["positive", "negative", "conditional", "no-record", "not-digitised", "need-document", "need-visit", "not-mine"];
    const districts = Array.from({ length: all.districts }, (_, i) => ({ value: String(i + 1), label: fill(t.units.district, { n: num(i + 1) }) }));
    const byLabel = (a: Choice, b: Choice): number => a.label.localeCompare(b.label, "fa");
    const departments = [...all.departments.keys()].map((d) => ({ value: d, label: departmentTitle(d) })).sort(byLabel);
    const types = [...all.types.keys()].map((d) => ({ value: d, label: typeTitle(d) })).sort(byLabel);
    return (
        <fieldset class="filters">
            <legend class="sr-only">{t.search.filters}</legend>
            <Select label={t.search.state} choices={states.map((s) => ({ value: s, label: word(t.states, s) }))} {...of("state")} />
            <Select label={t.search.outcome} choices={outcomes.map((s) => ({ value: s, label: word(t.outcomes, s) }))} {...of("outcome")} />
            <Select label={t.search.department} choices={departments} {...of("department")} />
            <Select label={t.search.type} choices={types} {...of("type")} />
            <Select label={t.search.district} choices={districts} {...of("district")} />
            <DateField label={t.search.from} value={from} onChange={(v) => onChange(withStretch(value, v, to === from ? "" : to))} />
            <DateField label={t.search.to} value={to} onChange={(v) => onChange(withStretch(value, from, v))} />
            <div class="filters-clear">
                <Button kind="quiet" disabled={!value} onClick={() => onChange("")}>{t.search.clear}</Button>
            </div>
        </fieldset>
    );
}
