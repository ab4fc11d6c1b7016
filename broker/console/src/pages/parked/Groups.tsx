// Groups.tsx - the parked by reason: how many, why, and the way back for a whole group.
import type { ParkedRow } from "../../api/shapes";
import { num } from "../../format/number";
import { departmentTitle } from "../../live/catalogue";
import { may } from "../../session";
import { fill, text, word } from "../../text";
import { Button } from "../../ui/Button";
import { Code } from "../../ui/Code";
import { Panel } from "../../ui/Panel";

export interface GroupsProps {
    all: ParkedRow[];
    whole: boolean; // false: more are parked than were read
    rows: ParkedRow[]; // of the chosen department
    department: string;
    code: string;
    choose: (change: { department?: string; code?: string }) => void;
    requeue: (code: string) => void;
}

function counts(rows: ParkedRow[], of: (row: ParkedRow) => string): [string, number][] {
    const all = new Map<string, number>();
    for (const row of rows) all.set(of(row), (all.get(of(row)) ?? 0) + 1);
    return [...all].sort((a, b) => b[1] - a[1]);
}

function DepartmentChoice({ all, department, choose }: Pick<GroupsProps, "all" | "department" | "choose">) {
    const t = text().parked;
    return (
        <select class="small-input" aria-label={t.department} value={department} onChange={(e) => choose({ department: e.currentTarget.value, code: "" })}>
            <option value="">{t.department}: {t.all}</option>
            {counts(all, (r) => r.department).map(([name, n]) => (
                <option key={name} value={name}>{departmentTitle(name)} ({num(n)})</option>
            ))}
        </select>
    );
}

export function Groups({ all, whole, rows, department, code, choose, requeue }: GroupsProps) {
    const t = text().parked;
    const groups = counts(rows, (r) => r.code);
    return (
        <Panel title={t.byReason} lead={whole ? undefined : fill(t.groupsFirst, { n: num(all.length) })} actions={<DepartmentChoice all={all} department={department} choose={choose} />}>
            <ul class="groups">
                {groups.map(([name, n]) => (
                    <li key={name} class={`group${code === name ? " group-on" : ""}`} data-code={name}>
                        <button type="button" class="group-pick" aria-pressed={code === name} onClick={() => choose({ code: code === name ? "" : name })}>
                            <b>{num(n)}</b>
                            <span>{word(text().codes, name)}</span>
                        </button>
                        <Code code={name} />
                        {may("act") && (
                            <Button small icon="requeue" onClick={() => requeue(name)} label={`${t.requeueAll} ${fill(whole ? t.count : t.countAtLeast, { n: num(n) })}`}>
                                {t.requeueAll}
                            </Button>
                        )}
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
