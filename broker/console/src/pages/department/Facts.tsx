// Facts.tsx - the department's counts in one line.
import { num } from "../../format/number";
import { departmentTitle } from "../../live/catalogue";
import type { DepartmentSum } from "../../live/departments";
import { href } from "../../route";
import { may } from "../../session";
import { text } from "../../text";
import { Age } from "../../ui/Age";

export function Facts({ of }: { of: DepartmentSum }) {
    const t = text().columns;
    const parked = num(of.parked);
    const facts: [string, string, preact.ComponentChildren, string?][] = [
        ["waiting", t.waiting, num(of.waiting)],
        ["leased", t.leased, num(of.leased)],
        ["delayed", t.delayed, num(of.delayed)],
        ["parked", t.parked, of.parked && may("parked") ? <a href={href("parked", undefined, { department: of.name })}>{parked}</a> : parked, of.parked ? "fact-warn" : ""],
        ["oldest", t.oldest, <Age at={of.oldest} plain />],
        ["agents", t.agents, num(of.agents), of.agents ? "" : "fact-warn"],
    ];
    return (
        <dl class="facts" aria-label={departmentTitle(of.name)}>
            {facts.map(([key, label, value, css]) => (
                <div key={key} class={`fact ${css ?? ""}`} data-fact={key}>
                    <dt>{label}</dt>
                    <dd>{value}</dd>
                </div>
            ))}
        </dl>
    );
}
