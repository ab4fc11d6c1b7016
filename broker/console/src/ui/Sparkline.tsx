// Sparkline.tsx - the shape of the last hour in the space of a word.
const W = 84;
const H = 22;

export function Sparkline({ values }: { values: number[] }) {
    if (values.length < 2) return <span class="spark-none" aria-hidden="true" />;
    const top = Math.max(...values, 1);
    const points = values.map((v, i) => `${((i / (values.length - 1)) * W).toFixed(1)},${(H - 2 - (v / top) * (H - 4)).toFixed(1)}`);
    return (
        <svg class="spark" viewBox={`0 0 ${W} ${H}`} aria-hidden="true">
            <polygon class="spark-fill" points={`0,${H} ${points.join(" ")} ${W},${H}`} />
            <polyline class="spark-line" points={points.join(" ")} />
        </svg>
    );
}
