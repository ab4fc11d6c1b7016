-- Municipal property: which parcels overlap land of the city, and what was agreed about it.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE TADAKHOL (
    KOD_NOSAZI   VARCHAR(40) PRIMARY KEY,
    MASAHAT      INTEGER NOT NULL,
    TAVAFOGH     VARCHAR(200),
    TASVIE       CHAR(1)
);
CREATE TABLE KONTROL_SHODE (KOD_NOSAZI VARCHAR(40) PRIMARY KEY);
INSERT INTO KONTROL_SHODE VALUES
    ('1-1-1-1-0-0-0'), ('22-3-15-40-1-12-0'), ('5-2-8-14-0-0-0'), ('12-4-30-7-0-0-0');
INSERT INTO TADAKHOL VALUES
    ('12-4-30-7-0-0-0', 35, 'توافق واگذاری ۱۲/۴۴۱', 'N');
