// Unserved.tsx - the red banner: work waits, and nobody is there to do it.
import { num } from "../../format/number";
import { departmentTitle } from "../../live/catalogue";
import { isUnserved, type DepartmentSum } from "../../live/departments";
import { href } from "../../route";
import { fill, text } from "../../text";
import { Age } from "../../ui/Age";
import { Banner } from "../../ui/Banner";

const SHOWN = 8;

export function Unserved({ departments }: { departments: DepartmentSum[] }) {
    const t = text().overview;
    const alone = departments.filter(isUnserved);
    const first = alone[0];
    if (!first) return null;
    const n = num(alone.reduce((total, d) => total + d.unserved, 0));
    const says =
        alone.length === 1
            ? fill(t.unservedOne, { n, department: departmentTitle(first.name) })
            : fill(t.unservedMany, { n, departments: num(alone.length) });
    return (
        <Banner tone="bad">
            <p>
                <strong>{says}</strong> {t.unservedDo}
            </p>
            <ul class="banner-list">
                {alone.slice(0, SHOWN).map((d) => (
                    <li key={d.name}>
                        <a href={href("department", d.name)}>{departmentTitle(d.name)}</a>
                        <span>{fill(t.unservedEach, { n: num(d.unserved) })}</span>
                        {d.oldest > 0 && <span>{t.unservedOldest} <Age at={d.oldest} plain /></span>}
                    </li>
                ))}
                {alone.length > SHOWN && <li>{fill(t.unservedRest, { n: num(alone.length - SHOWN) })}</li>}
            </ul>
        </Banner>
    );
}
