-- City document archive: files (by parcel code and file number) and their scanned papers.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE PARVANDEH (
    SH_PARVANDEH  CHAR(11) PRIMARY KEY,
    KOD_NOSAZI    VARCHAR(40) NOT NULL,
    VAZ_ESKAN     INTEGER NOT NULL         -- 2 all scanned, 1 in part, 0 paper only
);
CREATE INDEX PARVANDEH_NOSAZI ON PARVANDEH (KOD_NOSAZI);
CREATE TABLE SANAD (
    SANAD_ID      VARCHAR(20) PRIMARY KEY,
    SH_PARVANDEH  CHAR(11) NOT NULL REFERENCES PARVANDEH,
    NOE           VARCHAR(40) NOT NULL,
    HASH          CHAR(64) NOT NULL
);
INSERT INTO PARVANDEH VALUES
    ('01001840311', '1-1-1-1-0-0-0', 2),
    ('22001840320', '22-3-15-40-1-12-0', 1),
    ('12000420017', '12-4-30-7-0-0-0', 0);
INSERT INTO SANAD VALUES
    ('AR-1-000311', '01001840311', 'completion',
     '4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a'),
    ('AR-1-000312', '01001840311', 'plan',
     'ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d'),
    ('AR-22-000871', '22001840320', 'permit',
     'e7f6c011776e8db7cd330b54174fd76f7d0216b612387a5ffcfb81e6f0919683');
