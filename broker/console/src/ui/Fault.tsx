// Fault.tsx - what went wrong, in a sentence of ours, the stable code, and the gateway's own detail.
import { ApiError } from "../api/http";
import { digits } from "../format/number";
import { fill, text } from "../text";
import { Button } from "./Button";
import { Code } from "./Code";
import { marked } from "./Foreign";
import { Icon } from "./Icon";

export function faultText(of: unknown): string {
    const t = text();
    if (!(of instanceof ApiError)) return of instanceof Error ? of.message : String(of);
    const { code, title, status } = of.problem;
    if (status === 0) return t.fault.UNREACHABLE;
    return t.codes[code] ?? (title || fill(t.fault.unknown, { status: digits(status) }));
}

export function Fault({ of, again }: { of: unknown; again?: () => void }) {
    const t = text().fault;
    const detail = of instanceof ApiError ? of.problem.detail : "";
    const code = of instanceof ApiError && of.problem.status > 0 ? of.problem.code : "";
    return (
        <div class="fault" role="alert">
            <Icon name="alert" />
            <div>
                <p>
                    {faultText(of)} {code && <Code code={code} />}
                </p>
                {detail && <p class="fault-detail"><bdi>{marked(detail)}</bdi></p>}
                {again && <Button small onClick={again}>{t.again}</Button>}
            </div>
        </div>
    );
}
