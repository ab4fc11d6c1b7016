-- Social security: insurance of building workers, one row per permit.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE BIMEH_KARGAH (
    SH_PARVANEH  VARCHAR(20) PRIMARY KEY,
    KOD_KARFARMA CHAR(10) NOT NULL,
    METRAZH      INTEGER NOT NULL,
    HAGHE_BIMEH  BIGINT NOT NULL,
    PARDAKHTI    BIGINT NOT NULL
);
INSERT INTO BIMEH_KARGAH VALUES
    ('1/1404/0017', '0499370899', 1480, 512000000, 512000000),
    ('22/871', '0790419904', 2100, 730000000, 400000000);
